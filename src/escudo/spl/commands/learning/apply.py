"""``apply``: a trained model over the rows (Machine Learning Toolkit, fit and apply commands)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

from escudo.core.errors import Span
from escudo.spl.batch import density
from escudo.spl.batch.learner import Learned, use
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.commands.learning.models import (
    ATTRIBUTES,
    DENSITY,
    THRESHOLDS,
    load_model,
    read_parameters,
)
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import word


@dataclass(frozen=True)
class Apply(Command):
    """``apply model [AS prefix] [options]``.

    The rows with what a stored model says of them. The options are those of the model's algorithm
    that say what is shown. Where there is no such model (yet), a warning (SPL318) says so, and the
    rows stay as they are.
    """

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
        return cls(
            model=model,
            alias=alias,
            parameters=tuple(parameters.items()),
            places=places,
            span=args.span(),
        )

    def format(self) -> str:
        return (
            f"apply {word(self.model)}"
            + (f" as {word(self.alias)}" if self.alias is not None else "")
            + "".join(f" {name}={word(value)}" for name, value in self.parameters)
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        return apply_model(rows(source, self), self, binder)


def apply_model(relation: Relation, command: Apply, binder: Binder) -> Relation:
    """The rows with what a stored model says of them."""
    model = load_model(command.model, binder, command.span)
    if model is None:
        return relation
    if isinstance(model, Learned):
        own = {n: o.type for n, o in model.algorithm.options.items() if not o.parameter}
        given = read_parameters(
            model.algorithm.name, own, command.parameters, places=command.places, span=command.span
        )
        learned = replace(model, settings={**model.settings, **given})
        return binder.batch(
            binder.closed(relation), "apply", lambda t: use(t, learned, command.alias)
        )
    options = read_parameters(
        DENSITY, THRESHOLDS, command.parameters, places=command.places, span=command.span
    )
    changed = {ATTRIBUTES[n]: v for n, v in options.items() if n in ATTRIBUTES}
    other = replace(model, **changed)
    return binder.batch(
        binder.closed(relation),
        "apply",
        lambda t: density.apply_model(t, other, command.alias),
    )
