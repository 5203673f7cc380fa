"""``fit``: trains a model (Machine Learning Toolkit, fit and apply commands)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import pyarrow as pa

from escudo.core.errors import EscudoError, Span
from escudo.spl.batch import density
from escudo.spl.batch.algorithms import ALGORITHMS, Algorithm, Kind
from escudo.spl.batch.density import DISTRIBUTIONS, DensityModel
from escudo.spl.batch.learner import NothingToLearnError, learn
from escudo.spl.batch.learning_extra import require_learning
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration
from escudo.spl.binding.effects import ModelOutput
from escudo.spl.commands.learning.models import (
    ATTRIBUTES,
    CONTAINER_ALGORITHM,
    DENSITY,
    DENSITY_OPTIONS,
    NO,
    Model,
    read_parameters,
    refuse,
    short_name,
)
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.source import suggest
from escudo.spl.syntax.unparse import word, words


@dataclass(frozen=True)
class Fit(Command):
    """``fit Algorithm fields [FROM features] [BY fields] [options] [INTO model] [AS prefix]``.

    With FROM, the field before it is what is predicted; the names of features may have wildcards.
    BY is for DensityFunction. INTO keeps the model where the search runs with a lake to write to,
    for ``apply``. Which algorithms there are, with their options: docs/algorithms.md.

    Refused: algorithms and options that are not there (SPL318, SPL103), INTO for an algorithm whose
    model says something of these rows only.
    """

    name: ClassVar[str] = "fit"
    declares: ClassVar[Declaration] = Declaration(writes=True)

    algorithm: str
    fields: tuple[str, ...]
    features: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()
    model: str | None = None
    alias: str | None = None
    places: Mapping[str, Span] = field(default_factory=dict, compare=False, repr=False)
    """Where each option of the algorithm stands."""

    @classmethod
    def parse(cls, args: Args) -> Self:
        algorithm = args.name("the name of an algorithm")
        lists: dict[str, list[str]] = {"": [], "from": [], "by": []}
        names: dict[str, str] = {}
        parameters: dict[str, str] = {}
        places: dict[str, Span] = {}
        current = ""
        while args.more():
            if args.accept(","):
                continue
            if (given := args.option()) is not None:
                option, value = given
                parameters[option.text] = value.text
                places[option.text] = args.span(option.start)
            elif keyword := args.accept_word("from", "by"):
                current = keyword
            elif keyword := args.accept_word("into", "as"):
                names[keyword] = args.name(f"a name after {keyword.upper()}")
            else:
                lists[current] += _split(args.name()) if current == "by" else [args.name()]
        if not lists[""]:
            args.missing("a field")
        return cls(
            algorithm=algorithm,
            fields=tuple(lists[""]),
            features=tuple(lists["from"]),
            by=tuple(lists["by"]),
            parameters=tuple(parameters.items()),
            model=names.get("into"),
            alias=names.get("as"),
            places=places,
            span=args.span(),
        )

    def format(self) -> str:
        reserved = ("from", "by", "into", "as")
        return (
            f"fit {word(self.algorithm)} {words(self.fields, *reserved, separator=' ')}"
            + (f" from {words(self.features, *reserved, separator=' ')}" if self.features else "")
            + (f" by {words(self.by, *reserved, separator=' ')}" if self.by else "")
            + "".join(f" {name}={word(value)}" for name, value in self.parameters)
            + (f" into {word(self.model)}" if self.model is not None else "")
            + (f" as {word(self.alias)}" if self.alias is not None else "")
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        return fit_model(rows(source, self), self, binder)


def _split(text: str) -> list[str]:
    """The fields of a quoted list (``"HourOfDay,DayOfWeek"``)."""
    return [part.strip() for part in text.split(",") if part.strip()]


def fit_model(relation: Relation, command: Fit, binder: Binder) -> Relation:
    """The rows with what the model says of them; the model goes to ``Compiled.effects``."""
    density_wanted = command.algorithm.lower() == DENSITY.lower()
    fit = _prepare_density(command) if density_wanted else _prepare_algorithm(command)
    made: list[Model] = []

    def run(table: pa.Table) -> pa.Table:
        try:
            model, out = fit(table)
        except NothingToLearnError as error:  # a search over an empty lake must run
            binder.warn(error.code, error.diagnostic.message, command.span)
            return table
        except EscudoError as error:
            raise error.located(command.span) from error
        made.append(model)
        return out

    fitted = binder.batch(binder.closed(relation), "fit", run)
    if made and command.model is not None:
        binder.effects.append(ModelOutput(short_name(command.model), made[0].to_bytes()))
    return fitted


Fitting = Callable[[pa.Table], tuple[Model, pa.Table]]


def _prepare_density(command: Fit) -> Fitting:
    options = read_parameters(
        DENSITY, DENSITY_OPTIONS, command.parameters, places=command.places, span=command.span
    )
    if len(command.fields) != 1 or command.features:
        raise EscudoError("SPL318", f"{DENSITY} takes one field", span=command.span)
    (field,) = command.fields
    settings = {ATTRIBUTES[n]: v for n, v in options.items() if n in ATTRIBUTES}
    dist = str(options.get("dist", "auto"))
    possible = [d for d in DISTRIBUTIONS if d not in options.get("exclude_dist", ())]
    metric = str(options.get("metric", density.METRICS[0]))

    def make(**known: Any) -> DensityModel:
        return DensityModel(**known, **settings)

    def fit(table: pa.Table) -> tuple[Model, pa.Table]:
        kinds = possible if dist == "auto" else [dist]
        model = density.fit_model(table, field, command.by, kinds, make, metric)
        if not model.groups:
            raise NothingToLearnError(f"no row has a number in {field}: nothing was fitted")
        return model, density.apply_model(table, model, command.alias)

    return fit


def _prepare_algorithm(command: Fit) -> Fitting:
    algorithm = _find_algorithm(command)
    options = read_parameters(
        algorithm.name,
        {name: option.type for name, option in algorithm.options.items()} | {"partial_fit": NO},
        command.parameters,
        places=command.places,
        span=command.span,
    )
    if command.by:
        raise refuse(f"{algorithm.name} takes no BY", "only DensityFunction does", command.span)
    if command.model is not None and not algorithm.saved:
        raise refuse(
            f"a model of {algorithm.name} cannot be stored",
            "leave out INTO; it says something of these rows only",
            command.span,
        )
    target: str | None = None
    features = command.fields
    if algorithm.predicts:
        if len(command.fields) != 1 or not command.features:
            message = f"{algorithm.name} takes one field FROM others"
            raise EscudoError("SPL318", message, span=command.span)
        (target,), features = command.fields, command.features
    elif command.features:
        message = f"{algorithm.name} predicts no field"
        raise refuse(message, "leave out FROM", command.span)
    if algorithm.kind is Kind.TEXT and len(features) != 1:
        raise EscudoError("SPL318", f"{algorithm.name} takes one field", span=command.span)
    require_learning(f"fit {algorithm.name}", command.span)

    def fit(table: pa.Table) -> tuple[Model, pa.Table]:
        return learn(table, algorithm, target, features, options, command.alias)

    return fit


def _find_algorithm(command: Fit) -> Algorithm:
    name = command.algorithm
    algorithm = ALGORITHMS.get(name.lower())
    if algorithm is not None:
        return algorithm
    if name.lower() == CONTAINER_ALGORITHM:
        raise refuse(
            "MLTKContainer runs code in a container of Splunk's app for data science",
            "its content cannot be run here; fit one of the algorithms of docs/algorithms.md",
            command.span,
        )
    known = [DENSITY, *(a.name for a in ALGORITHMS.values())]
    hint = suggest(name, known) or f"fit offers {', '.join(sorted(known))}"
    raise refuse(f"algorithm '{name}' is not offered", hint, command.span)
