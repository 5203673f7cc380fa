"""Options that say which detections of the content are meant -> a plan of a hunt; the commands that
run detections take them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar, cast

import click

from escudo.actions.hunt import HuntPlan, plan_hunt
from escudo.actions.narrowing import Narrowing
from escudo.content import Content
from escudo.content.elements.detection import STATUSES, TYPES
from escudo.findings.notable import SEVERITIES

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Choice:
    """Detections by name or id (``names``) and of analytic stories, and what they must be."""

    names: tuple[str, ...] = ()
    stories: tuple[str, ...] = ()
    narrowing: Narrowing = field(default_factory=Narrowing)

    def plan(self, content: Content, *, with_baselines: bool = False) -> HuntPlan:
        """The detections that are meant; see ``plan_hunt``."""
        return plan_hunt(
            content,
            names=self.names,
            stories=self.stories,
            narrowing=self.narrowing,
            with_baselines=with_baselines,
        )


def name_options(function: F) -> F:
    """``--detection`` and ``--story`` (repeatable), which give a command ``names`` and
    ``stories``."""
    function = click.option(
        "--story", "stories", multiple=True, help="Only detections of this analytic story."
    )(function)
    return click.option(
        "--detection", "names", multiple=True, help="Only this detection (name or id)."
    )(function)


def choice_options(function: F) -> F:
    """``--detection``, ``--story``, ``--type``, ``--status``, ``--technique``, ``--exclude``,
    ``--min-severity``, which give a command its ``choice``."""

    @wraps(function)
    def with_choice(
        *arguments: Any,
        names: tuple[str, ...],
        stories: tuple[str, ...],
        types: tuple[str, ...],
        statuses: tuple[str, ...],
        techniques: tuple[str, ...],
        exclude: tuple[str, ...],
        min_severity: str | None,
        **options: Any,
    ) -> Any:
        narrowing = Narrowing(
            types=types,
            statuses=statuses,
            techniques=techniques,
            exclude=exclude,
            min_severity=min_severity,
        )
        return function(*arguments, choice=Choice(names, stories, narrowing), **options)

    decorated: Any = with_choice
    for option in reversed(_NARROWING):
        decorated = option(decorated)
    return name_options(cast(F, decorated))


_NARROWING = (
    click.option(
        "--type",
        "types",
        multiple=True,
        type=click.Choice(TYPES, case_sensitive=False),
        help="Only detections of this type; repeatable, as are the next ones.",
    ),
    click.option(
        "--status",
        "statuses",
        multiple=True,
        type=click.Choice(STATUSES),
        help="Only detections of this status; deprecated ones run only if they are asked for.",
    ),
    click.option(
        "--technique",
        "techniques",
        multiple=True,
        help="Only detections of this ATT&CK technique (T1059), sub-techniques included.",
    ),
    click.option("--exclude", multiple=True, help="Not this detection (name or id)."),
    click.option(
        "--min-severity",
        type=click.Choice(SEVERITIES),
        help="Only detections whose findings are at least so severe.",
    ),
)
