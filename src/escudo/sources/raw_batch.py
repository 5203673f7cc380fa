"""What a reader gives: events of one family as a table; cim and lake take it."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from escudo.sources.family import Family
from escudo.sources.notes import Note


@dataclass(frozen=True, slots=True)
class RawBatch:
    """Events of one family from one file; ``table`` has the schema ``family.arrow``.

    ``_event_id`` and ``_indextime`` are null: the lake fills them in. ``notes`` tell of events that
    look like Windows' but have no known form, and of times that could not be read. ``order`` is as
    in ``Events``.
    """

    family: Family
    table: pa.Table
    notes: tuple[Note, ...] = ()
    order: pa.Array | None = None
