"""Bytes in, raw events with their fields out: opening, recognising and reading log files."""

from escudo.sources.family import Family, families

__all__ = ["Family", "families"]
