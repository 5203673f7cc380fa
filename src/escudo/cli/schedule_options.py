"""Options of the commands that run schedules -> a state, a worker; called by these commands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from escudo.cli.options import parse_bound
from escudo.cli.zone_names import find_zone
from escudo.schedule.database import FILE, State

F = TypeVar("F", bound=Callable[..., Any])


def state_option(function: F) -> F:
    """``--state``: where it is kept what has run."""
    return click.option(
        "--state",
        "state_place",
        help="Where it is kept what has run: an SQLite file, or postgresql://user@host/name "
        f"[default: {FILE} in the lake's folder].",
    )(function)


def schedule_options(function: F) -> F:
    """``--detection``, ``--story``, ``--no-baselines``, ``--skew``, ``--cron-tz``, ``--now``."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


_OPTIONS: Sequence[Callable[[Any], Any]] = (
    click.option("--detection", "names", multiple=True, help="Only this detection (name or id)."),
    click.option(
        "--story", "stories", multiple=True, help="Only detections of this analytic story."
    ),
    click.option(
        "--no-baselines", is_flag=True, help="Leave out the baselines that detections need."
    ),
    click.option(
        "--skew",
        type=click.FloatRange(0, 100),
        default=0.0,
        show_default=True,
        help="Percent of its period by which a search may be due later, always the same.",
    ),
    click.option(
        "--cron-tz",
        "zone",
        default="UTC",
        show_default=True,
        callback=lambda _context, _option, name: find_zone(name),
        help="Time zone of cron lines. Windows and searches are UTC's.",
    ),
    click.option(
        "--now",
        "now_text",
        default="",
        help="The time that it is taken to be, for replays [default: the machine's clock].",
    ),
)


def open_state(place: str | None, lake: Path) -> State:
    """The state that ``--state`` names; without it the one in the lake's folder."""
    return State.open(place or lake / FILE)


def read_now(text: str, clock: float) -> float:
    """The time of ``--now``.

    Raises:
        EscudoError: CLI003 for a time that cannot be read.
    """
    given = parse_bound("--now", text, clock)
    return clock if given is None else given
