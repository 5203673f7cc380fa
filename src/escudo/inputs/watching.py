"""Folders -> the files in them that have changed, as the operating system tells; ``following``
waits for it.

What the system does not tell (network file systems) is found by looking at all files from time to
time.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from watchfiles import watch

_TOGETHER_MS = 100
"""Milliseconds, at most, that changes are gathered for before they are told."""
_STEP_MS = 20
"""Milliseconds without a change after which what was gathered is told."""


class Watcher:
    """Gathers changed paths in threads of its own; use it in a ``with`` block."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._folders = [p for p in paths if p.is_dir()]
        self._parents = sorted({p.absolute().parent for p in paths if not p.is_dir()})
        self._inside = [(p.resolve(), p) for p in self._folders]
        self._inside += [(p.absolute().parent, p.parent) for p in paths if not p.is_dir()]
        self._stop = threading.Event()
        self._some = threading.Event()
        self._lock = threading.Lock()
        self._changed: set[Path] = set()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        for folders, recursive in ((self._folders, True), (self._parents, False)):
            if folders:
                thread = threading.Thread(
                    target=self._run, args=(folders, recursive), name="escudo-watch", daemon=True
                )
                thread.start()
                self._threads.append(thread)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=2)

    def wait(self, seconds: float) -> set[Path]:
        """The paths that have changed since the last call; waits for some, so long at most."""
        self._some.wait(seconds)
        with self._lock:
            self._some.clear()
            changed, self._changed = self._changed, set()
        return changed

    def _run(self, folders: Sequence[Path], recursive: bool) -> None:
        changes = watch(
            *folders,
            watch_filter=None,
            debounce=_TOGETHER_MS,
            step=_STEP_MS,
            stop_event=self._stop,
            rust_timeout=500,
            recursive=recursive,
            raise_interrupt=False,
            ignore_permission_denied=True,
        )
        for found in changes:
            paths = {self._as_given(Path(text)) for _, text in found}
            with self._lock:
                self._changed |= paths
                self._some.set()

    def _as_given(self, path: Path) -> Path:
        """A path of the system as the user's own begin."""
        for start, folder in self._inside:
            if path.is_relative_to(start):
                return folder / path.relative_to(start)
        return path
