"""``metasearch``: the metadata of events that match (Search Reference: metasearch)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.spl.binding.binder import Binder, Command
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.binding.time_bounds import time_bounds
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import And, SearchExpr
from escudo.spl.syntax.unparse import search_text

_FIELDS = ("_time", "host", "index", "source", "sourcetype")


@dataclass(frozen=True)
class Metasearch(Command):
    """``metasearch [expr]``.

    The events that match, as `search` finds them, with `host`, `index`, `source`, `sourcetype` and
    `_time` and no other field.

    Differs from Splunk: every field can be compared, not only those of an index.
    """

    name: ClassVar[str] = "metasearch"
    generating: ClassVar[bool] = True
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, closes_schema=True)

    expr: SearchExpr

    @classmethod
    def parse(cls, args: Args) -> Self:
        return cls(expr=args.search() if args.more() else And(()), span=args.span())

    def format(self) -> str:
        return f"metasearch {search_text(self.expr)}".rstrip()

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        if source is not None:
            raise EscudoError("SPL311", "'metasearch' must be the first command", span=self.span)
        expr, within = time_bounds(self.expr, binder)
        events = binder.read_raw(expr, within)
        return events.closed({n: b for n in _FIELDS if (b := events.bound(n)) is not None})
