"""Bytes in, raw events with their fields out: opening, recognising and reading log files."""

from escudo.sources.families import Families, load_families
from escudo.sources.family import Family

__all__ = ["Families", "Family", "load_families"]
