"""``appendpipe``: the rows of a subpipeline over the rows so far, after them (Search Reference:
appendpipe)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.operators.stacking import stack_rows
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import Pipeline
from escudo.spl.syntax.unparse import option


@dataclass(frozen=True)
class AppendPipe(Command):
    """``appendpipe [run_in_preview=bool] [subpipeline]``; the subpipeline reads the rows so far."""

    name: ClassVar[str] = "appendpipe"

    subpipeline: Pipeline
    run_in_preview: bool = True

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options("run_in_preview")
        return cls(args.subsearch(), options.boolean("run_in_preview", True), span=args.span())

    def format(self) -> str:
        return (
            "appendpipe"
            + option("run_in_preview", self.run_in_preview, True)
            + f" [{self.subpipeline.format(nested=True)}]"
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        return stack_rows([relation, binder.pipeline(self.subpipeline, relation)], binder)
