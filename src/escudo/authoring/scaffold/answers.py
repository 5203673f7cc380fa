"""Answers to what a new element is asked -> the values that it has; what builds elements asks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from escudo.content.elements.detection import CVE
from escudo.core.errors import EscudoError

Answers = Mapping[str, Any]
"""By the names of ``fields.FIELDS``."""

_URL = re.compile(r"https?://\S+")


def check_field(option: str, name: str, fields: Sequence[str]) -> None:
    """That the search gives a field; nothing is said where its fields are not known.

    Raises:
        EscudoError: AUT006.
    """
    if fields and name not in fields:
        raise EscudoError(
            "AUT006",
            f"{option}: the search gives no {name!r}",
            hint=f"it gives {', '.join(fields)}",
        )


def check_choice(option: str, word: str, allowed: Sequence[str]) -> None:
    """That a word is one of those allowed.

    Raises:
        EscudoError: AUT004.
    """
    if word not in allowed:
        hint = f"it is one of {', '.join(allowed)}"
        raise EscudoError("AUT004", f"{option}: {word!r} is not known", hint=hint)


def read_texts(
    option: str, given: Sequence[str], pattern: re.Pattern[str], *, example: str
) -> list[str]:
    """Texts of which each has the form of an example.

    Raises:
        EscudoError: AUT004.
    """
    for text in given:
        if not pattern.fullmatch(text):
            raise EscudoError("AUT004", f"{option}: {text!r} is none", hint=f"such as {example}")
    return list(given)


def read_urls(option: str, given: Sequence[str]) -> list[str]:
    return read_texts(option, given, _URL, example="https://example.org/report")


def read_cves(answers: Answers) -> list[str]:
    return read_texts("--cve", answers.get("cve", ()), CVE, example="CVE-2021-44228")


def read_file(option: str, path: str) -> bytes:
    """What a file has that an answer names.

    Raises:
        EscudoError: AUT004 where it cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise EscudoError("AUT004", f"{option} {path}: {reason or error}") from error


def say_how(answers: Answers) -> str:
    """What has to be collected for a search, in a sentence."""
    if said := answers.get("how_to_implement"):
        return str(said)
    sources = " or ".join(answers.get("data_source", ()))
    return f"Collect {sources}." if sources else "Collect the events that the search reads."
