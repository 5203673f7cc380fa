"""``summary``: what a trained model knows (Machine Learning Toolkit, summary command)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.core.errors import EscudoError, Span
from escudo.spl.batch import density
from escudo.spl.batch.learner import Learned
from escudo.spl.batch.model_inside import describe_model
from escudo.spl.binding.binder import Binder, Command
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.commands.learning.models import load_model
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import word


@dataclass(frozen=True)
class Summary(Command):
    """``summary model``.

    What a stored model knows: the groups of a density, coefficients, centres and so on.

    Refused: models that have nothing to show.
    """

    name: ClassVar[str] = "summary"
    generating: ClassVar[bool] = True
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    model: str

    @classmethod
    def parse(cls, args: Args) -> Self:
        return cls(model=args.name("the name of a model"), span=args.span())

    def format(self) -> str:
        return f"summary {word(self.model)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        if source is not None:
            raise EscudoError("SPL311", "'summary' must be the first command", span=self.span)
        return show_model(self.model, binder, self.span)


def show_model(name: str, binder: Binder, span: Span | None) -> Relation:
    """What a stored model knows: a density's groups, coefficients, centres and so on."""
    model = load_model(name, binder, span)
    if model is None:
        return binder.anything(())
    table = describe_model(model) if isinstance(model, Learned) else density.summary_table(model)
    if table is None:
        assert isinstance(model, Learned)
        raise EscudoError(
            "SPL301", f"a model of {model.algorithm.name} has nothing to show", span=span
        )
    return binder.table(table)
