"""Options of the commands that run schedules -> a plan, a worker's options; these commands take
them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import wraps
from typing import Any, TypeVar, cast

import click

from escudo.actions.hunt import HuntPlan
from escudo.actions.run import RunOptions
from escudo.cli.detection_options import Choice, name_options
from escudo.cli.state_options import read_now
from escudo.cli.zone_names import find_zone
from escudo.content import Content

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What runs by its schedule, and when. ``skew`` is a share of the period, ``now`` the time that
    it is taken to be (epoch seconds); ``has_now``: it was given."""

    choice: Choice
    with_baselines: bool
    skew: float
    zone: tzinfo
    now: float
    has_now: bool

    def plan(self, content: Content) -> HuntPlan:
        """The detections and baselines that run."""
        return self.choice.plan(content, with_baselines=self.with_baselines)

    def make_options(self, *, continuous: bool = False) -> RunOptions:
        """How a worker keeps the schedules."""
        whole = self.choice == Choice() and self.with_baselines
        return RunOptions(zone=self.zone, skew=self.skew, continuous=continuous, whole=whole)


def schedule_options(function: F) -> F:
    """``--detection``, ``--story``, ``--no-baselines``, ``--skew``, ``--cron-tz``, ``--now``, which
    give a command its ``terms``."""

    @wraps(function)
    def with_terms(
        *arguments: Any,
        names: tuple[str, ...],
        stories: tuple[str, ...],
        no_baselines: bool,
        skew: float,
        zone: tzinfo,
        now_text: str,
        **options: Any,
    ) -> Any:
        terms = Terms(
            choice=Choice(names, stories),
            with_baselines=not no_baselines,
            skew=skew / 100,
            zone=zone,
            now=read_now(now_text, time.time()),
            has_now=bool(now_text),
        )
        return function(*arguments, terms=terms, **options)

    decorated: Any = with_terms
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return name_options(cast(F, decorated))


_OPTIONS: Sequence[Callable[[Any], Any]] = (
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
