"""``appendpipe``: the rows of a subpipeline over the rows so far, after them (Search Reference:
appendpipe)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from escudo.spl.binding.binder import Binder, rows
from escudo.spl.binding.command_forms import SubsearchCommand
from escudo.spl.operators.stacking import stack_rows
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.options import boolean_option


@dataclass(frozen=True)
class AppendPipe(SubsearchCommand):
    """``appendpipe [run_in_preview=bool] [ subpipeline ]``.

    The commands in brackets work on the rows so far; what they give stands after those rows.
    """

    name: ClassVar[str] = "appendpipe"

    run_in_preview: bool = boolean_option(True, "Whether a preview shows them; no effect here.")

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        return stack_rows([relation, binder.pipeline(self.subsearch, relation)], binder)
