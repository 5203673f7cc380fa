"""``fit``, ``apply`` and ``summary``: models by name, over the batch algorithms."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from escudo.core.errors import EscudoError, Span
from escudo.spl.batch import density
from escudo.spl.batch.algorithms import (
    Reader,
    among,
    boolean,
    number,
    whole,
)
from escudo.spl.batch.density import DISTRIBUTIONS, DensityModel
from escudo.spl.batch.learner import Learned
from escudo.spl.binding.binder import Binder
from escudo.spl.syntax.source import suggest

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


THRESHOLDS: Mapping[str, Reader] = {
    "threshold": number,
    "lower_threshold": number,
    "upper_threshold": number,
    "show_density": boolean,
    "sample": no,
    "full_sample": no,
}
DENSITY_OPTIONS: Mapping[str, Reader] = {
    **THRESHOLDS,
    "dist": among("auto", *DISTRIBUTIONS),
    "exclude_dist": excluded,
    "metric": among(*density.METRICS),
    "random_state": whole,
    "partial_fit": no,
}
"""The options of DensityFunction and how they are read."""

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
    readers: Mapping[str, Reader],
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
        name = _known_name(written, readers)
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


def _known_name(written: str, readers: Collection[str]) -> str | None:
    return next((n for n in readers if n.lower() == written.lower()), None)


def _listed(readers: Collection[str]) -> str:
    return f"it takes {', '.join(readers)}" if readers else "it takes no options here"


def refuse(message: str, hint: str, span: Span | None) -> EscudoError:
    return EscudoError("SPL318", message, span=span, hint=hint)
