"""Runs the console script on a pseudo-terminal, as a user sees it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|\x1b[=>]")
_PATIENCE = 120.0
"""Seconds until what is awaited must have come; the machine may be busy."""


class Terminal:
    """The script as a child on a terminal of its own; ``with`` ends it."""

    def __init__(
        self,
        *args: object,
        columns: int = 80,
        rows: int = 30,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._raw = b""
        self.text = ""
        """All that came, without colours and movements of the cursor."""
        self._seen = 0
        command = [sys.executable, "-m", "escudo.cli", *map(str, args)]
        size = {"COLUMNS": str(columns), "LINES": str(rows)}
        mine = {**os.environ, "TERM": "xterm", "PAGER": "cat", **size, **(env or {})}
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            try:
                os.execve(sys.executable, command, mine)
            finally:
                os._exit(127)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._fd)
        if error is not None:
            os.kill(self.pid, 9)
            os.waitpid(self.pid, 0)

    def send(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def expect(self, pattern: str, seconds: float = _PATIENCE) -> str:
        """Waits for text after what was awaited before; returns what came until then."""
        until = time.monotonic() + seconds
        while (match := re.search(pattern, self.text[self._seen :])) is None:
            if time.monotonic() > until or not self._read(0.2):
                raise AssertionError(f"no {pattern!r} in {self.text[self._seen :]!r}")
        begun, self._seen = self._seen, self._seen + match.end()
        return self.text[begun : self._seen]

    def finish(self) -> tuple[int, str]:
        """Waits for the end; the exit code, and all text."""
        until = time.monotonic() + _PATIENCE
        while self._read(0.2):
            assert time.monotonic() < until, self.text
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status), self.text

    def _read(self, seconds: float) -> bool:
        """Reads what is there; whether more may come."""
        if not select.select([self._fd], [], [], seconds)[0]:
            return True
        try:
            came = os.read(self._fd, 65_536)
        except OSError:  # how Linux says that the other side is closed
            return False
        if b"\x1b[6n" in came:  # where the cursor is, which a prompt asks
            os.write(self._fd, b"\x1b[1;1R")
        self._raw += came
        whole = self._raw.decode(errors="replace").replace("\r\n", "\n").replace("\r", "")
        self.text = _CONTROLS.sub("", whole)
        return bool(came)


def run_on_terminal(
    *args: object, columns: int = 80, rows: int = 30, env: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """The exit code, and what the terminal has shown."""
    with Terminal(*args, columns=columns, rows=rows, env=env) as terminal:
        return terminal.finish()
