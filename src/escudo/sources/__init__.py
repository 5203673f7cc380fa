"""Bytes of logs -> raw events with their fields: open, detect the format, read; for ``lake``."""

from escudo.sources.families import Families, load_families
from escudo.sources.family import Family

__all__ = ["Families", "Family", "load_families"]
