"""``appendcols``: the fields of a subsearch, row by row (Search Reference: appendcols)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from escudo.spl.binding.binder import Binder, rows
from escudo.spl.binding.command_forms import SubsearchCommand, SubsearchLimits
from escudo.spl.binding.limited_subsearch import bind_limited
from escudo.spl.operators.row_matching import zip_rows
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.options import boolean_option, option_group


@dataclass(frozen=True)
class AppendCols(SubsearchCommand):
    """``appendcols [options] [ subsearch ]``.

    The first row gets the fields of the subsearch's first row, and so on. Where the subsearch gives
    more than ``maxout`` rows, a warning (SPL320) says so.
    """

    name: ClassVar[str] = "appendcols"

    override: bool = boolean_option(
        False, "Whether the subsearch's value counts where both rows have one."
    )
    limits: SubsearchLimits = option_group(SubsearchLimits)

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = binder.closed(rows(source, self))
        added = bind_limited(
            self.subsearch, self.limits.maxout, self, binder, limit_option="maxout"
        )
        return zip_rows(relation, binder.closed(added), self.override, binder)
