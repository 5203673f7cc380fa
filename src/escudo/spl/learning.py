"""``fit``, ``apply`` and ``summary``: models by name, over the batch algorithms."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from escudo.core.errors import EscudoError, Span
from escudo.spl.batch import density
from escudo.spl.batch.algorithms import (
    ALGORITHMS,
    Algorithm,
    Kind,
    Reader,
    among,
    boolean,
    number,
    whole,
)
from escudo.spl.batch.density import DISTRIBUTIONS, DensityModel
from escudo.spl.batch.learner import Learned, NothingToLearnError, described, learn, use
from escudo.spl.bind import Binder
from escudo.spl.effects import ModelOutput
from escudo.spl.plan import Relation
from escudo.spl.source import suggest

if TYPE_CHECKING:
    from escudo.spl.commands.apply import Apply
    from escudo.spl.commands.fit import Fit

DENSITY = "DensityFunction"
CONTAINER_MODELS = ("dsdl", "unusual_commandline_detection", "pretrained")
"""Parts of the names of models that come only with Splunk's app for containers."""
CONTAINER_ALGORITHM = "mltkcontainer"

Model = DensityModel | Learned


def no(text: str) -> bool:
    """A reader of what can only be false."""
    if boolean(text):
        raise ValueError("false; what it asks for is not offered")
    return False


def excluded(text: str) -> tuple[str, ...]:
    """One to three distributions, with commas between."""
    names = tuple(part.strip().lower() for part in text.split(","))
    known = {*DISTRIBUTIONS, "beta"}
    if not set(names) <= known or set(DISTRIBUTIONS) <= set(names):
        raise ValueError(f"some of {', '.join(sorted(known))}, but not all")
    return names


_THRESHOLDS: Mapping[str, Reader] = {
    "threshold": number,
    "lower_threshold": number,
    "upper_threshold": number,
    "show_density": boolean,
    "sample": no,
    "full_sample": no,
}
DENSITY_OPTIONS: Mapping[str, Reader] = {
    **_THRESHOLDS,
    "dist": among("auto", *DISTRIBUTIONS),
    "exclude_dist": excluded,
    "metric": among(*density.METRICS),
    "random_state": whole,
    "partial_fit": no,
}
"""The options of DensityFunction and how they are read."""

_ATTRIBUTES = {
    "threshold": "threshold",
    "lower_threshold": "lower",
    "upper_threshold": "upper",
    "show_density": "show_density",
}


def fitted(relation: Relation, command: Fit, binder: Binder) -> Relation:
    """The rows with what the model says of them; the model goes to ``Compiled.effects``."""
    fit = _density_fit(command) if command.algorithm.lower() == DENSITY.lower() else _fit(command)
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

    found = binder.batch(binder.closed(relation), "fit", run)
    if made and command.model is not None:
        binder.effects.append(ModelOutput(_short(command.model), made[0].to_bytes()))
    return found


Fitting = Callable[[pa.Table], tuple[Model, pa.Table]]


def _density_fit(command: Fit) -> Fitting:
    options = _read(DENSITY, DENSITY_OPTIONS, command)
    if len(command.fields) != 1 or command.features:
        raise EscudoError("SPL318", f"{DENSITY} takes one field", span=command.span)
    (field,) = command.fields
    settings = {_ATTRIBUTES[n]: v for n, v in options.items() if n in _ATTRIBUTES}
    dist = str(options.get("dist", "auto"))
    among_these = [d for d in DISTRIBUTIONS if d not in options.get("exclude_dist", ())]
    metric = str(options.get("metric", density.METRICS[0]))

    def make(**known: Any) -> DensityModel:
        return DensityModel(**known, **settings)

    def fit(table: pa.Table) -> tuple[Model, pa.Table]:
        kinds = among_these if dist == "auto" else [dist]
        model = density.fit_model(table, field, command.by, kinds, make, metric)
        if not model.groups:
            raise NothingToLearnError(f"no row has a number in {field}: nothing was fitted")
        return model, density.apply_model(table, model, command.alias)

    return fit


def _fit(command: Fit) -> Fitting:
    algorithm = _algorithm(command)
    options = _read(algorithm.name, _readers(algorithm), command)
    if command.by:
        raise _refused(f"{algorithm.name} takes no BY", "only DensityFunction does", command.span)
    if command.model is not None and not algorithm.saved:
        raise _refused(
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
        raise _refused(message, "leave out FROM", command.span)
    if algorithm.kind is Kind.TEXT and len(features) != 1:
        raise EscudoError("SPL318", f"{algorithm.name} takes one field", span=command.span)

    def fit(table: pa.Table) -> tuple[Model, pa.Table]:
        return learn(table, algorithm, target, features, options, command.alias)

    return fit


def _algorithm(command: Fit) -> Algorithm:
    name = command.algorithm
    found = ALGORITHMS.get(name.lower())
    if found is not None:
        return found
    if name.lower() == CONTAINER_ALGORITHM:
        raise _refused(
            "MLTKContainer runs code in a container of Splunk's app for data science",
            "its content cannot be run here; fit one of the algorithms of docs/algorithms.md",
            command.span,
        )
    known = [DENSITY, *(a.name for a in ALGORITHMS.values())]
    hint = suggest(name, known) or f"fit offers {', '.join(sorted(known))}"
    raise _refused(f"algorithm '{name}' is not offered", hint, command.span)


def _readers(algorithm: Algorithm) -> Mapping[str, Reader]:
    return {name: option.read for name, option in algorithm.options.items()} | {"partial_fit": no}


def applied(relation: Relation, command: Apply, binder: Binder) -> Relation:
    """The rows with what a stored model says of them."""
    model = stored(command.model, binder, command.span)
    if model is None:
        return relation
    if isinstance(model, Learned):
        own = {n: o.read for n, o in model.algorithm.options.items() if not o.parameter}
        given = _read(model.algorithm.name, own, command)
        learned = replace(model, settings={**model.settings, **given})
        return binder.batch(
            binder.closed(relation), "apply", lambda t: use(t, learned, command.alias)
        )
    options = _read(DENSITY, _THRESHOLDS, command)
    changed = {_ATTRIBUTES[n]: v for n, v in options.items() if n in _ATTRIBUTES}
    other = replace(model, **changed)
    return binder.batch(
        binder.closed(relation),
        "apply",
        lambda t: density.apply_model(t, other, command.alias),
    )


def summarised(name: str, binder: Binder, span: Span | None) -> Relation:
    """What a stored model knows: a density's groups, coefficients, centres and so on."""
    model = stored(name, binder, span)
    if model is None:
        return binder.anything(())
    table = described(model) if isinstance(model, Learned) else density.summary_table(model)
    if table is None:
        assert isinstance(model, Learned)
        raise EscudoError(
            "SPL301", f"a model of {model.algorithm.name} has nothing to show", span=span
        )
    return binder.table(table)


def stored(name: str, binder: Binder, span: Span | None) -> Model | None:
    """A stored model; None, with a warning, where there is none (yet)."""
    short = _short(name)
    content = binder.knowledge.model(short)
    if content is None:
        if any(part in short.lower() for part in CONTAINER_MODELS):
            raise _refused(
                f"model '{name}' comes only with Splunk's app for containers",
                "its content cannot be run here; use a detection without it",
                span,
            )
        binder.warn("SPL318", f"model '{name}' has not been fitted yet; nothing is outlying", span)
        return None
    try:
        if json.loads(content).get("algorithm") == DENSITY:
            return DensityModel.from_bytes(content)
        return Learned.from_bytes(content)
    except EscudoError as error:
        raise error.located(span) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        message = f"model '{name}' cannot be read: {error}"
        raise EscudoError("SPL319", message, span=span) from error


def _short(name: str) -> str:
    """The name of a model without its namespace (``app:name``)."""
    return name.rpartition(":")[2]


def _read(what: str, readers: Mapping[str, Reader], command: Fit | Apply) -> dict[str, Any]:
    """The options of an algorithm as they are meant: SPL103 for one that it has not, SPL104 for a
    value that it cannot take, each at its place."""
    out: dict[str, Any] = {}
    for written, value in command.parameters:
        place = command.places.get(written, command.span)
        name = _known(written, readers)
        if name is None:
            hint = suggest(written, readers) or _listed(readers)
            raise EscudoError("SPL103", f"{what} has no option '{written}'", span=place, hint=hint)
        try:
            out[name] = readers[name](value)
        except ValueError as error:
            message = f"option '{written}' takes {error}, not '{value}'"
            raise EscudoError("SPL104", message, span=place) from error
    out.pop("partial_fit", None)
    return out


def _known(written: str, readers: Collection[str]) -> str | None:
    return next((n for n in readers if n.lower() == written.lower()), None)


def _listed(readers: Collection[str]) -> str:
    return f"it takes {', '.join(readers)}" if readers else "it takes no options here"


def _refused(message: str, hint: str, span: Span | None) -> EscudoError:
    return EscudoError("SPL318", message, span=span, hint=hint)
