"""``delete``: hides the events of the search for good (Search Reference: delete)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import pyarrow as pa
import pyarrow.compute as pc

from escudo.core.errors import EscudoError
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration
from escudo.spl.binding.effects import Deletion
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args


@dataclass(frozen=True)
class Delete(Command):
    """``delete``.

    The events of the search are in no result any more, once the search has run with a lake to
    write to. The rows it gives say how many they are (``deleted``), in all and of each index.

    Refused: rows that are no events any more, such as statistics.
    """

    name: ClassVar[str] = "delete"
    declares: ClassVar[Declaration] = Declaration(writes=True)

    @classmethod
    def parse(cls, args: Args) -> Self:
        return cls(span=args.span())

    def format(self) -> str:
        return "delete"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        event_id = relation.bound("_event_id")
        if event_id is None:
            raise EscudoError(
                "SPL311",
                "'delete' works on events only",
                span=self.span,
                hint="leave out the commands that make statistics of the events",
            )
        index = relation.bound("index")
        kept = {"_event_id": event_id} | ({} if index is None else {"index": index})
        found = relation.closed(kept).ordered(())
        events = binder.collect(found, "the events to delete")
        counts = {_ALL: 0}
        if events is not None:
            binder.effects.append(Deletion(events.column("_event_id").to_pylist()))
            counts = {_ALL: events.num_rows, **_count_indexes(events)}
        made = {
            "splunk_server": ["local"] * len(counts),
            "index": [*counts],
            "deleted": [*counts.values()],
            "errors": [0] * len(counts),
        }
        return binder.table(pa.table(made))


_ALL = "__ALL__"


def _count_indexes(events: pa.Table) -> dict[str, int]:
    """How many events are of each index, by its name."""
    if "index" not in events.column_names:
        return {}
    names = events.column("index").combine_chunks()
    if pa.types.is_list(names.type):
        names = names.flatten()
    counted = pc.value_counts(names.drop_null()).to_pylist()
    return {str(one["values"]): one["counts"] for one in sorted(counted, key=lambda c: c["values"])}
