"""``delete``: hides the events of the search for good (Search Reference: delete)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import pyarrow as pa

from escudo.core.errors import EscudoError
from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.bind import rows
from escudo.spl.effects import Deletion

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


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
