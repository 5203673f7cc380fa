"""``summary``: what a trained model knows (Machine Learning Toolkit, summary command)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.learning import summarised
from escudo.spl.unparse import word

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class Summary(Command):
    """``summary model``."""

    name: ClassVar[str] = "summary"
    generating: ClassVar[bool] = True

    model: str

    @classmethod
    def parse(cls, args: Args) -> Self:
        return cls(args.name("the name of a model"), span=args.span())

    def format(self) -> str:
        return f"summary {word(self.model)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        return summarised(self.model, binder, self.span)
