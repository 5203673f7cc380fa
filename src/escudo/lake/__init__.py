"""Tables at rest: append, commit, compact, expire; a catalog for the language."""

from escudo.lake.snapshot import Snapshot
from escudo.lake.store import Lake
from escudo.lake.writer import Writer

__all__ = ["Lake", "Snapshot", "Writer"]
