"""``--sink`` and ``--dead-letters`` -> a dispatcher to sinks, whose failures are told; the commands
that find something take them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar, cast

import click

from escudo.cli.terminal import escape_line, open_stderr
from escudo.lake.place import LakePlace, provide_local_folder
from escudo.sinks import Delivery, Sink
from escudo.sinks.dispatch import Dispatcher

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


def outlet_options(function: F) -> F:
    """``--sink`` and ``--dead-letters``, which give a command its ``outlets``."""

    @wraps(function)
    def with_outlets(
        *arguments: Any, sinks: tuple[str, ...], dead_letters: Path | None, **options: Any
    ) -> Any:
        return function(*arguments, outlets=Outlets(sinks, dead_letters), **options)

    decorated = click.option(
        "--dead-letters",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Keep findings here that a sink does not take, as JSON lines "
        "[default: dead-letters.jsonl in the lake, or else here].",
    )(with_outlets)
    return sink_option()(cast(F, decorated))


@dataclass(frozen=True, slots=True)
class Outlets:
    """The texts of sinks, and the file of what they do not take, if it is named."""

    texts: tuple[str, ...]
    dead_letters: Path | None

    def open(self, lake: LakePlace | None) -> Outlet:
        """The sinks, opened: SNK001 to SNK005 for those that are none. What they do not take is
        kept in the lake, unless another file is named."""
        folder = Path() if lake is None else provide_local_folder(lake)
        return Outlet(open_sinks(self.texts), self.dead_letters or folder / DEAD_LETTERS)


class Outlet:
    """Open sinks behind a ``dispatcher``. Use it in a ``with`` block.

    It says on standard error when a sink begins to refuse findings, and when it takes them again,
    and counts in ``failed`` what was not taken. ``count`` is called for each delivery, if it is
    set.
    """

    def __init__(self, sinks: Sequence[Sink], letters: Path) -> None:
        self.dispatcher = Dispatcher(sinks, letters, self._tell)
        self.failed = 0
        self.count: Callable[[Sink, Delivery, float], None] | None = None
        self._letters = letters
        self._down: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.dispatcher.__exit__(kind, error, trace)

    def tell_end(self) -> None:
        """Says how many findings were not taken in all, and what to do about them."""
        if self.failed:
            open_stderr().print(
                f"{self.failed:,} findings were not delivered; "
                f"`escudo sinks retry {self._letters} --sink ...` sends them again"
            )

    def _tell(self, sink: Sink, delivery: Delivery, seconds: float) -> None:
        if self.count is not None:
            self.count(sink, delivery, seconds)
        if delivery.complete:
            if sink.name in self._down:
                self._down.discard(sink.name)
                open_stderr().print(escape_line(f"{sink.name}: takes findings again"))
            return
        self.failed += delivery.failed
        if sink.name not in self._down:
            self._down.add(sink.name)
            reason = delivery.failures[0].reason
            text = f"{sink.name}: {reason}; findings go to {self._letters}"
            open_stderr().print(escape_line(f"error[SNK006]: {text}"))


def open_sinks(texts: Sequence[str]) -> list[Sink]:
    """Sinks by their texts; the libraries that they need are not loaded without any."""
    if not texts:
        return []
    opening = import_module("escudo.sinks.opening")
    return [opening.open_sink(text) for text in texts]
