"""``append``: the rows of a subsearch after those of the search (Search Reference: append)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from escudo.spl.binding.binder import Binder
from escudo.spl.binding.command_forms import SubsearchCommand, SubsearchLimits
from escudo.spl.binding.limited_subsearch import bind_limited
from escudo.spl.operators.stacking import stack_rows
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.options import boolean_option, option_group


@dataclass(frozen=True)
class Append(SubsearchCommand):
    """``append [options] [ subsearch ]``.

    The subsearch has the search's time range. Where it gives more than ``maxout`` rows, a warning
    (SPL320) says so.
    """

    name: ClassVar[str] = "append"

    extendtimerange: bool = boolean_option(
        False, "Whether the search's time range covers the subsearch's; no effect here."
    )
    limits: SubsearchLimits = option_group(SubsearchLimits)

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        added = bind_limited(
            self.subsearch, self.limits.maxout, self, binder, limit_option="maxout"
        )
        return added if source is None else stack_rows([source, added], binder)
