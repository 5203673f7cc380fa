"""``delete``: hides the events of the search for good (Search Reference: delete)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import pyarrow as pa

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
    write to. The row it gives says how many they are (``deleted``).

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
        ids = relation.closed({"_event_id": event_id}).ordered(())
        events = binder.collect(ids, "the events to delete")
        if events is not None:
            binder.effects.append(Deletion(events.column("_event_id").to_pylist()))
        count = 0 if events is None else events.num_rows
        made = {"splunk_server": ["local"], "index": ["__ALL__"], "deleted": [count], "errors": [0]}
        return binder.table(pa.table(made))
