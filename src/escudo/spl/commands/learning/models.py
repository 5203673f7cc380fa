"""``fit``, ``apply`` and ``summary``: models by name, over the batch algorithms."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from escudo.core.errors import EscudoError, Span
from escudo.spl.batch import density
from escudo.spl.batch.density import DISTRIBUTIONS, DensityModel
from escudo.spl.batch.learner import Learned
from escudo.spl.binding.binder import Binder
from escudo.spl.syntax.options import (
    BOOLEAN,
    NUMBER,
    OptionType,
    choice_type,
    describe_bad_value,
    integer_type,
)
from escudo.spl.syntax.source import suggest

DENSITY = "DensityFunction"
CONTAINER_MODELS = ("dsdl", "unusual_commandline_detection", "pretrained")
"""Parts of the names of models that come only with Splunk's app for containers."""
CONTAINER_ALGORITHM = "mltkcontainer"

Model = DensityModel | Learned


def _parse_no(text: str) -> bool:
    if BOOLEAN.parse(text):
        raise ValueError
    return False


def _parse_excluded(text: str) -> tuple[str, ...]:
    names = tuple(part.strip().lower() for part in text.split(","))
    if not set(names) <= _KNOWN or set(DISTRIBUTIONS) <= set(names):
        raise ValueError
    return names


_KNOWN = {*DISTRIBUTIONS, "beta"}
NO = OptionType[bool]("false; what it asks for is not offered", _parse_no, BOOLEAN.write)
_EXCLUDED = OptionType[tuple[str, ...]](
    f"some of {', '.join(sorted(_KNOWN))}, but not all", _parse_excluded, ",".join
)
THRESHOLDS: Mapping[str, OptionType[Any]] = {
    "threshold": NUMBER,
    "lower_threshold": NUMBER,
    "upper_threshold": NUMBER,
    "show_density": BOOLEAN,
    "sample": NO,
    "full_sample": NO,
}
DENSITY_OPTIONS: Mapping[str, OptionType[Any]] = {
    **THRESHOLDS,
    "dist": choice_type(("auto", *DISTRIBUTIONS)),
    "exclude_dist": _EXCLUDED,
    "metric": choice_type(density.METRICS),
    "random_state": integer_type(),
    "partial_fit": NO,
}
"""The options of DensityFunction and their types."""

ATTRIBUTES = {
    "threshold": "threshold",
    "lower_threshold": "lower",
    "upper_threshold": "upper",
    "show_density": "show_density",
}


def load_model(name: str, binder: Binder, span: Span | None) -> Model | None:
    """A stored model; None, with a warning, where there is none (yet)."""
    short = short_name(name)
    content = binder.knowledge.model(short)
    if content is None:
        if any(part in short.lower() for part in CONTAINER_MODELS):
            raise refuse(
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


def short_name(name: str) -> str:
    """The name of a model without its namespace (``app:name``)."""
    return name.rpartition(":")[2]


def read_parameters(
    what: str,
    types: Mapping[str, OptionType[Any]],
    parameters: Sequence[tuple[str, str]],
    *,
    places: Mapping[str, Span],
    span: Span | None,
) -> dict[str, Any]:
    """The options of an algorithm as they are meant: SPL103 for one that it has not, SPL104 for a
    value that it cannot take, each at its place."""
    out: dict[str, Any] = {}
    for written, value in parameters:
        place = places.get(written, span)
        known = next((n for n in types if n.lower() == written.lower()), None)
        if known is None:
            listed = f"it takes {', '.join(types)}" if types else "it takes no options here"
            hint = suggest(written, types) or listed
            raise EscudoError("SPL103", f"{what} has no option '{written}'", span=place, hint=hint)
        try:
            out[known] = types[known].parse(value)
        except ValueError as error:
            message = describe_bad_value(written, types[known].label, value)
            meant = getattr(error, "hint", None)
            raise EscudoError("SPL104", message, span=place, hint=meant) from error
    out.pop("partial_fit", None)
    return out


def refuse(message: str, hint: str, span: Span | None) -> EscudoError:
    return EscudoError("SPL318", message, span=span, hint=hint)
