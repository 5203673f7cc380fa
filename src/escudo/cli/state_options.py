"""``--state`` and ``--now`` -> the state of a schedule and the time; the commands about schedules
take them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from escudo.cli.options import parse_bound
from escudo.core.errors import EscudoError
from escudo.lake.place import LEDGER, LakePlace, SharedLake
from escudo.schedule.database import FILE, State
from escudo.storage import find_scheme

F = TypeVar("F", bound=Callable[..., Any])


def state_option(function: F) -> F:
    """``--state``: where it is kept what has run."""
    return click.option(
        "--state",
        "state_place",
        help="Where it is kept what has run: an SQLite file, or postgresql://user@host/name "
        f"[default: {FILE} in the lake's folder, or the database of a shared ledger].",
    )(function)


def open_state(place: str | None, lake: LakePlace) -> State:
    """The state that ``--state`` names; without it the one in the lake's folder, or, of a lake that
    machines share, in the database of its ledger.

    Raises:
        EscudoError: LAK002 where that folder holds no lake: one with a state alone would not be
            taken for a lake that is to be made.
    """
    if place is not None:
        return State.open(place)
    if isinstance(lake, SharedLake):
        beside = Path(lake.ledger).with_name(FILE)
        return State.open(lake.ledger if find_scheme(lake.ledger) is not None else beside)
    if not (lake / LEDGER).is_file():
        raise EscudoError("LAK002", f"{lake} holds no lake")
    return State.open(lake / FILE)


def read_now(text: str, clock: float) -> float:
    """The time of ``--now``.

    Raises:
        EscudoError: CLI003 for a time that cannot be read.
    """
    given = parse_bound("--now", text, clock)
    return clock if given is None else given
