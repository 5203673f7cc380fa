"""``apply``: a trained model over the rows (Machine Learning Toolkit, fit and apply commands)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.core.errors import Span
from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.bind import rows
from escudo.spl.learning import applied
from escudo.spl.unparse import word

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class Apply(Command):
    """``apply model [AS prefix] [options]``; the options are checked by the model's algorithm."""

    name: ClassVar[str] = "apply"

    model: str
    alias: str | None = None
    parameters: tuple[tuple[str, str], ...] = ()
    places: Mapping[str, Span] = field(default_factory=dict, compare=False, repr=False)
    """Where each option stands."""

    @classmethod
    def parse(cls, args: Args) -> Self:
        model = args.name("the name of a model")
        alias = None
        parameters: dict[str, str] = {}
        places: dict[str, Span] = {}
        while args.more():
            if (given := args.option()) is not None:
                option, value = given
                parameters[option.text] = value.text
                places[option.text] = args.span(option.start)
            elif args.accept_word("as"):
                alias = args.name("a name after AS")
            else:
                args.expected("an option or AS")
        return cls(model, alias, tuple(parameters.items()), places, span=args.span())

    def format(self) -> str:
        return (
            f"apply {word(self.model)}"
            + (f" as {word(self.alias)}" if self.alias is not None else "")
            + "".join(f" {name}={word(value)}" for name, value in self.parameters)
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        return applied(rows(source, self), self, binder)
