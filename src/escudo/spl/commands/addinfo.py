"""``addinfo``: the time range of the search as fields (Search Reference: addinfo)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.spl import coerce
from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.bind import rows

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class AddInfo(Command):
    """``addinfo``; no arguments."""

    name: ClassVar[str] = "addinfo"

    @classmethod
    def parse(cls, args: Args) -> Self:
        return cls(span=args.span())

    def format(self) -> str:
        return "addinfo"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        within = binder.within
        earliest = coerce.number(within.earliest if within.earliest is not None else 0.0)
        latest = coerce.text("+Infinity")
        if within.latest is not None:
            latest = coerce.number(within.latest)
        added = [
            ("info_min_time", earliest),
            ("info_max_time", latest),
            ("info_sid", coerce.text(f"{binder.now:.3f}")),
            ("info_search_time", coerce.number(binder.now)),
        ]
        return rows(source, self).extend(added, binder.names)
