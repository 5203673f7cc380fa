"""A plan -> processes that are ready for a search, and are killed where one must end; ``board``
asks it, in one thread."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from escudo.serve.searches.orders import WorkerPlan
from escudo.serve.searches.worker import work

_PRELOADED = ["escudo.serve.searches.worker"]
"""What the process has loaded that others are forked of: another search process is there in a tenth
of a second, where a new interpreter takes one and more."""


@dataclass(eq=False)
class Worker:
    """A search process. ``ready``: it has said that it can take a search; ``sid``: what it runs."""

    process: Any
    connection: Connection
    ready: bool = False
    sid: str | None = None

    def count_bytes(self) -> int:
        """The memory that it holds, in bytes; 0 where the system does not say."""
        with suppress(OSError, ValueError, IndexError):
            pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
            return int(pages) * os.sysconf("SC_PAGE_SIZE")
        return 0


class Pool:
    """``size`` processes. Not for several threads at once."""

    def __init__(self, plan: WorkerPlan, size: int) -> None:
        self._plan = plan
        self._size = size
        self._context = get_context("forkserver")
        self._context.set_forkserver_preload(_PRELOADED)
        self.workers: list[Worker] = []

    def fill(self) -> None:
        """Begins as many processes as are missing."""
        while len(self.workers) < self._size:
            ours, theirs = self._context.Pipe()
            process = self._context.Process(
                target=work, args=(theirs, self._plan), name="escudo-search", daemon=True
            )
            process.start()
            theirs.close()
            self.workers.append(Worker(process, ours))

    def find_free(self) -> Worker | None:
        return next((w for w in self.workers if w.ready and w.sid is None), None)

    def find(self, sid: str) -> Worker | None:
        return next((w for w in self.workers if w.sid == sid), None)

    @property
    def connections(self) -> Sequence[Connection]:
        return [w.connection for w in self.workers]

    def kill(self, worker: Worker) -> None:
        """Ends a process where it is; it is no longer one of these."""
        self.workers.remove(worker)
        worker.process.kill()
        worker.process.join()
        worker.connection.close()

    def close(self) -> None:
        for worker in [*self.workers]:
            self.kill(worker)
