"""``delete``: hides the events of the search for good (Search Reference: delete)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import pyarrow as pa

from escudo.core.errors import EscudoError
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.effects import Deletion
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args


@dataclass(frozen=True)
class Delete(Command):
    """``delete``; no arguments."""

    name: ClassVar[str] = "delete"

    @classmethod
    def parse(cls, args: Args) -> Self:
        return cls(span=args.span())

    def format(self) -> str:
        return "delete"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        found = relation.bound("_event_id")
        if found is None:
            raise EscudoError(
                "SPL311",
                "'delete' works on events only",
                span=self.span,
                hint="leave out the commands that make statistics of the events",
            )
        ids = relation.closed({"_event_id": found}).ordered(())
        rows_found = binder.collect(ids, "the events to delete")
        if rows_found is not None:
            binder.effects.append(Deletion(rows_found.column("_event_id").to_pylist()))
        count = 0 if rows_found is None else rows_found.num_rows
        made = {"splunk_server": ["local"], "index": ["__ALL__"], "deleted": [count], "errors": [0]}
        return binder.table(pa.table(made))
