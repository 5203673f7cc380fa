"""Small generated logs of the scripts, and what they were made of."""

from __future__ import annotations

import io
from functools import cache

from escudo.generate.answers import Answers, EventAnswer
from escudo.generate.generate import generate

EVENTS = 6_000
SEED = 11


@cache
def day(format: str, events: int = EVENTS, seed: int = SEED) -> tuple[list[str], Answers]:
    """The lines of a log and its answers."""
    return write(format, events=events, seed=seed)


def write(
    format: str, *, events: int, seed: int = SEED, attacks: bool = True, hosts: int | None = None
) -> tuple[list[str], Answers]:
    out = io.BytesIO()
    answers = generate(events, seed, format, out, attacks=attacks, hosts=hosts)
    text = out.getvalue().decode()
    assert text.endswith("\n")
    return text.removesuffix("\n").split("\n"), answers


def steps(answers: Answers) -> list[EventAnswer]:
    """The rows of the answers, all of which are steps of attacks."""
    rows = [row for row in answers.rows if isinstance(row, EventAnswer)]
    assert len(rows) == len(answers.rows)
    return rows
