"""``addinfo``: the time range of the search as fields (Search Reference: addinfo)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.values import number_value, text_value
from escudo.spl.syntax.args import Args


@dataclass(frozen=True)
class AddInfo(Command):
    """``addinfo``.

    Each row gets ``info_min_time`` and ``info_max_time`` (the search's time range in epoch seconds;
    0 and ``+Infinity`` where it is open), ``info_search_time`` and ``info_sid``.

    Differs from Splunk: a search has no id here, so ``info_sid`` is its time, too.
    """

    name: ClassVar[str] = "addinfo"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    @classmethod
    def parse(cls, args: Args) -> Self:
        return cls(span=args.span())

    def format(self) -> str:
        return "addinfo"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        within = binder.within
        earliest = number_value(within.earliest if within.earliest is not None else 0.0)
        latest = text_value("+Infinity")
        if within.latest is not None:
            latest = number_value(within.latest)
        added = [
            ("info_min_time", earliest),
            ("info_max_time", latest),
            ("info_sid", text_value(f"{binder.now:.3f}")),
            ("info_search_time", number_value(binder.now)),
        ]
        return rows(source, self).extend(added, binder.names)
