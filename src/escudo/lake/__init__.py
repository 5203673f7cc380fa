"""Raw events and rows of data models at rest: writers add, searches read one committed state."""

from escudo.lake.snapshot import Snapshot
from escudo.lake.store import Lake
from escudo.lake.writer import Writer

__all__ = ["Lake", "Snapshot", "Writer"]
