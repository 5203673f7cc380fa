"""``--policy``, ``--maintain-every``, ``--metrics`` -> a lake that is maintained and metrics that
are served while a command stays; ``escudo follow`` and ``escudo run`` take them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from escudo.actions.maintain import MAINTAIN_SECONDS, Maintenance
from escudo.cli.options import policy_option
from escudo.cli.terminal import open_stderr
from escudo.core.errors import Diagnostic
from escudo.core.metrics import Metrics, serve_metrics
from escudo.lake import Lake
from escudo.lake.policy import Policy, read_policy

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Service:
    """What goes on beside a command that stays. ``policy`` and ``metrics_place`` are None where
    nobody asked."""

    policy: Policy | None
    maintain_every: float
    metrics_place: str | None

    def maintain(
        self, lake: Lake, metrics: Metrics | None, tell: Callable[[Diagnostic], None]
    ) -> Maintenance:
        """The maintenance of the lake, to be entered; ``tell`` is told what is wrong."""
        policy = self.policy or Policy()
        return Maintenance(lake, policy, every=self.maintain_every, metrics=metrics, tell=tell)

    @contextmanager
    def serve_metrics(self, *, quiet: bool) -> Iterator[Metrics | None]:
        """Metrics that are served while the block lasts, if they were asked for; says where."""
        if self.metrics_place is None:
            yield None
            return
        metrics = Metrics()
        with serve_metrics(metrics, self.metrics_place) as port:
            if not quiet:
                host = self.metrics_place.rpartition(":")[0] or "127.0.0.1"
                open_stderr().print(f"metrics: http://{host}:{port}/metrics")
            yield metrics


def service_options(*, begin: str = "") -> Callable[[F], F]:
    """The options, which give a command its ``service``; ``begin`` is what the help of those begins
    with that go with a part of the command alone."""

    def capital(text: str) -> str:
        return f"{begin}{text}" if begin else text[0].upper() + text[1:]

    def decorate(function: F) -> F:
        @wraps(function)
        def with_service(
            *arguments: Any,
            policy_path: Path | None,
            maintain_every: float,
            metrics_place: str | None,
            **options: Any,
        ) -> Any:
            policy = None if policy_path is None else read_policy(policy_path)
            service = Service(policy, maintain_every, metrics_place)
            return function(*arguments, service=service, **options)

        decorated = click.option(
            "--metrics",
            "metrics_place",
            metavar="HOST:PORT",
            help=capital("serve metrics for Prometheus here."),
        )(with_service)
        decorated = click.option(
            "--maintain-every",
            type=click.FloatRange(min=0),
            default=MAINTAIN_SECONDS,
            show_default=True,
            help=capital("seconds from one maintenance of the lake to the next; 0: none."),
        )(decorated)
        return policy_option(cast(F, decorated))

    return decorate
