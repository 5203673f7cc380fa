"""``--sink`` and ``--dead-letters`` -> sinks, and a dispatcher; the commands that find something
take them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import click

from escudo.cli.terminal import escape_line, open_stderr
from escudo.sinks import Delivery, Sink

DEAD_LETTERS = "dead-letters.jsonl"
"""Name of the dead-letter file in a lake."""

F = TypeVar("F", bound=Callable[..., Any])


def sink_option(*, required: bool = False) -> Callable[[F], F]:
    """``--sink`` (repeatable), which gives a command the texts of ``sinks``."""
    return click.option(
        "--sink",
        "sinks",
        multiple=True,
        required=required,
        metavar="URL",
        help="Send findings here: jsonl:FILE, csv:FILE, ocsf:FILE, hec+https://HOST:8088, "
        "syslog+tls://HOST, https://HOST/PATH, apprise+URL; options behind #; repeatable.",
    )


def dead_letters_option(function: F) -> F:
    """``--dead-letters``: where findings go that a sink does not take."""
    return click.option(
        "--dead-letters",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Keep findings here that a sink does not take, as JSON lines "
        "[default: dead-letters.jsonl in the lake, or else here].",
    )(function)


def open_sinks(texts: Sequence[str]) -> list[Sink]:
    """Sinks by their texts; the libraries that they need are not loaded without any."""
    if not texts:
        return []
    opening = import_module("escudo.sinks.opening")
    return [opening.open_sink(text) for text in texts]


class FailureTeller:
    """Says on standard error when a sink begins to refuse findings, and when it takes them again;
    counts what was not taken."""

    def __init__(self, dead_letters: Path) -> None:
        self._dead_letters = dead_letters
        self._down: set[str] = set()
        self.failed = 0

    def tell(self, sink: Sink, delivery: Delivery, _seconds: float) -> None:
        """To be called for each delivery."""
        if delivery.complete:
            if sink.name in self._down:
                self._down.discard(sink.name)
                open_stderr().print(escape_line(f"{sink.name}: takes findings again"))
            return
        self.failed += delivery.failed
        if sink.name not in self._down:
            self._down.add(sink.name)
            reason = delivery.failures[0].reason
            text = f"{sink.name}: {reason}; findings go to {self._dead_letters}"
            open_stderr().print(escape_line(f"error[SNK006]: {text}"))

    def tell_end(self) -> None:
        """Says how many findings were not taken in all, and what to do about them."""
        if self.failed:
            open_stderr().print(
                f"{self.failed:,} findings were not delivered; "
                f"`escudo sinks retry {self._dead_letters} --sink ...` sends them again"
            )
