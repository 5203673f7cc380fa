"""Progress and diagnostics -> standard error: bars on a terminal, plain lines elsewhere; called by
the commands."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self, TypeVar

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from escudo.cli.log_output import log_diagnostic
from escudo.cli.terminal import escape_line, open_stderr
from escudo.core.errors import Diagnostic
from escudo.core.event_log import log_event
from escudo.core.interrupts import meet_stop
from escudo.lake.effects import Change
from escudo.lake.report import FileReport

T = TypeVar("T")
_LINE_SECONDS = 5.0
_NAME_WIDTH = 48


class IngestProgress:
    """Shows an ingest: the file, events so far, events a second. A ``lake.report.Progress``."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._live = sys.stderr.isatty() and not quiet
        self._quiet = quiet
        self._files = 0
        self._events = 0
        self._safe = 0
        self._begun = time.monotonic()
        self._said = self._begun
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("reading {task.description}", markup=False),
            TextColumn("{task.fields[files]:,} files  {task.completed:,} events"),
            TextColumn("{task.fields[rate]:,.0f}/s"),
            TimeElapsedColumn(),
            console=open_stderr(),
            transient=True,
            disable=not self._live,
        )
        self._task = self._bar.add_task("", total=None, files=0, rate=0.0)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()
        if isinstance(error, KeyboardInterrupt):
            meet_stop()
            open_stderr().print(
                f"stopped: {self._files:,} files with {self._safe:,} events are committed; "
                "what was read of others is dropped"
            )

    def started(self, name: str, size: int | None) -> None:
        self._bar.update(self._task, description=_short(escape_line(name)))

    def advanced(self, events: int, raw_bytes: int) -> None:
        self._events += events
        now = time.monotonic()
        rate = self._events / max(now - self._begun, 1e-6)
        self._bar.update(self._task, completed=self._events, files=self._files, rate=rate)
        if not self._live and not self._quiet and now - self._said >= _LINE_SECONDS:
            self._said = now
            open_stderr().print(
                f"read {self._events:,} events of {self._files:,} files, {rate:,.0f}/s"
            )

    def finished(self, report: FileReport) -> None:
        self._safe += report.read
        self._files += 1
        self._bar.update(self._task, files=self._files)


def _short(name: str) -> str:
    return name if len(name) <= _NAME_WIDTH else "…" + name[-_NAME_WIDTH + 1 :]


def follow_items(items: Sequence[T], label: str, *, quiet: bool = False) -> Iterator[T]:
    """Yields items behind a bar (or a line every few seconds where stderr is no terminal)."""
    with count_items(len(items), label, quiet=quiet) as advance:
        for n, item in enumerate(items, 1):
            yield item
            advance(n, len(items))


def show_diagnostics(diagnostics: Sequence[Diagnostic], limit: int | None = 20) -> None:
    """Diagnostics on stderr, the first ``limit`` of them; the rest is counted."""
    for diagnostic in diagnostics:
        log_diagnostic(diagnostic)
    console = open_stderr()
    shown = diagnostics if limit is None else diagnostics[:limit]
    for diagnostic in shown:
        console.print(diagnostic.render())
    if len(diagnostics) > len(shown):
        console.print(f"... and {len(diagnostics) - len(shown):,} more")


def show_changes(changes: Sequence[Change], *, quiet: bool = False) -> None:
    """What was changed in a lake, on stderr; nothing that went nowhere is no news."""
    for change in changes:
        log_event("change", kind=change.kind, name=change.name, count=change.count)
        if change.count and not quiet:
            open_stderr().print(str(change))


@contextmanager
def count_items(
    total: int, label: str, *, quiet: bool = False
) -> Iterator[Callable[[int, int], None]]:
    """A callback (done, total) behind a bar, or a line every few seconds without a terminal."""
    live = sys.stderr.isatty() and not quiet
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=open_stderr(),
        transient=True,
        disable=not live,
    )
    task = bar.add_task(label, total=total)
    said = time.monotonic()

    def advance(done: int, _total: int) -> None:
        nonlocal said
        bar.update(task, completed=done)
        if not live and not quiet and time.monotonic() - said >= _LINE_SECONDS:
            said = time.monotonic()
            open_stderr().print(f"{label}: {done:,} of {total:,}")

    with bar:
        yield advance


_PATIENCE = 1.0
"""Seconds until a terminal shows that something runs."""


@contextmanager
def show_waiting(label: str) -> Iterator[None]:
    """Says on a terminal what runs and for how long, from the second second on."""
    if not sys.stderr.isatty():
        yield
        return
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
        console=open_stderr(),
        transient=True,
    )
    ended = threading.Event()

    def wait() -> None:
        if not ended.wait(_PATIENCE):
            with bar:
                ended.wait()

    bar.add_task(label, total=None)
    waiting = threading.Thread(target=wait, name="escudo-waiting", daemon=True)
    waiting.start()
    try:
        yield
    finally:
        ended.set()
        waiting.join()
