"""``fit``, ``apply`` and ``summary``: models by name, over the batch algorithms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import pyarrow as pa

from escudo.core.errors import EscudoError, Span
from escudo.spl.batch.density import (
    DISTRIBUTIONS,
    DensityModel,
    apply_model,
    fit_model,
    summary_table,
)
from escudo.spl.bind import Binder
from escudo.spl.effects import ModelOutput
from escudo.spl.plan import Relation

if TYPE_CHECKING:
    from escudo.spl.commands.apply import Apply
    from escudo.spl.commands.fit import Fit

_TRUE = frozenset({"t", "true", "1"})
_FIT = frozenset(
    {"dist", "threshold", "lower_threshold", "upper_threshold", "show_density"}
    | {"sample", "full_samples", "random_state", "metric", "show_options", "exclude_dist"}
    | {"mean", "std", "stable", "partial_fit", "seed", "bins"}
)
CONTAINER_MODELS = ("dsdl", "unusual_commandline_detection", "pretrained")
"""Parts of the names of models that come only with Splunk's app for containers."""


@runtime_checkable
class ModelStore(Protocol):
    """Knowledge that also keeps models which ``fit`` made."""

    def model(self, name: str) -> bytes | None: ...


def fitted(relation: Relation, command: Fit, binder: Binder) -> Relation:
    """The rows with what the model says of them; the model goes to ``Compiled.effects``."""
    if command.algorithm.lower() != "densityfunction":
        raise EscudoError(
            "SPL318",
            f"algorithm '{command.algorithm}' is not offered",
            span=command.span,
            hint="fit offers DensityFunction",
        )
    options = _options(command.parameters, command.span)
    dist = options.get("dist", "auto")
    if dist != "auto" and dist not in DISTRIBUTIONS:
        raise EscudoError(
            "SPL318",
            f"distribution '{dist}' is not offered",
            span=command.span,
            hint=f"one of auto, {', '.join(DISTRIBUTIONS)}",
        )
    if len(command.fields) != 1:
        raise EscudoError("SPL318", "DensityFunction takes one field", span=command.span)
    (field,) = command.fields
    thresholds = _thresholds(options, command.span)

    def make(**known: Any) -> DensityModel:
        return DensityModel(**known, **thresholds)

    made: list[DensityModel] = []

    def run(table: pa.Table) -> pa.Table:
        model = fit_model(table, field, command.by, dist, make)
        made.append(model)
        return apply_model(table, model, command.alias)

    found = binder.batch(binder.closed(relation), "fit", run)
    if made and not made[0].groups:
        binder.warn("SPL318", f"no row has a number in {field}: nothing was fitted", command.span)
    elif made and command.model is not None:
        binder.effects.append(ModelOutput(command.model, made[0].to_bytes()))
    return found


def applied(relation: Relation, command: Apply, binder: Binder) -> Relation:
    """The rows with what a stored model says of them."""
    model = _stored(command.model, binder, command.span)
    if model is None:
        return relation
    changed = _thresholds(_options(command.parameters, command.span), command.span)
    model = replace(model, **changed)
    return binder.batch(
        binder.closed(relation), "apply", lambda t: apply_model(t, model, command.alias)
    )


def summarised(name: str, binder: Binder, span: Span | None) -> Relation:
    """A stored model's groups."""
    model = _stored(name, binder, span)
    return binder.anything(()) if model is None else binder.table(summary_table(model))


def _stored(name: str, binder: Binder, span: Span | None) -> DensityModel | None:
    short = name.rpartition(":")[2]
    if any(part in short.lower() for part in CONTAINER_MODELS):
        raise EscudoError(
            "SPL318",
            f"model '{name}' comes only with Splunk's app for containers",
            span=span,
            hint="its content cannot be run here; use a detection without it",
        )
    knowledge = binder.knowledge
    content = knowledge.model(short) if isinstance(knowledge, ModelStore) else None
    if content is None:
        binder.warn("SPL318", f"model '{name}' has not been fitted yet; nothing is outlying", span)
        return None
    return DensityModel.from_bytes(content)


def _options(parameters: tuple[tuple[str, str], ...], span: Span | None) -> Mapping[str, str]:
    for name, _ in parameters:
        if name.lower() not in _FIT:
            raise EscudoError("SPL103", f"DensityFunction has no option '{name}'", span=span)
    return {name.lower(): value for name, value in parameters}


def _thresholds(options: Mapping[str, str], span: Span | None) -> dict[str, Any]:
    out: dict[str, Any] = {}
    names = {"threshold": "threshold", "lower_threshold": "lower", "upper_threshold": "upper"}
    for option, attribute in names.items():
        if option in options:
            try:
                out[attribute] = float(options[option])
            except ValueError as error:
                message = f"option '{option}' takes a number"
                raise EscudoError("SPL104", message, span=span) from error
    if "show_density" in options:
        out["show_density"] = options["show_density"].lower() in _TRUE
    return out
