"""Text for a terminal -> the user's pager; called by commands whose answer may be longer than a
screen."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from escudo.cli.terminal import SafeConsole, open_console
from escudo.core.interrupts import meet_stop

_LESS = "FRXK"
"""Ends at once where all fits on a screen, keeps colours, leaves the text there, obeys Ctrl-C."""


def find_pager() -> list[str] | None:
    """The command of ``ESCUDO_PAGER`` or ``PAGER``, or ``less``; None where there is none, or the
    variable is empty, which asks for none."""
    named = os.environ.get("ESCUDO_PAGER", os.environ.get("PAGER", "less"))
    try:
        words = shlex.split(named)
    except ValueError:
        return None
    return words if words and shutil.which(words[0]) else None


class _PagedConsole(SafeConsole):
    """A console whose reader may leave: Rich would end the process."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


@contextmanager
def open_paged(*, wanted: bool = True) -> Iterator[SafeConsole]:
    """A console whose text goes through the pager; standard output itself where that is no
    terminal, there is no pager, or it is not wanted. Who leaves the pager early stops nothing."""
    command = find_pager() if wanted and sys.stdout.isatty() and sys.stdin.isatty() else None
    terminal = open_console()
    if command is None:
        yield terminal
        return
    sys.stdout.flush()
    environment = {"LESS": _LESS, "LESSCHARSET": "utf-8", **os.environ}
    pager = subprocess.Popen(
        command, stdin=subprocess.PIPE, text=True, encoding="utf-8", env=environment
    )
    assert pager.stdin is not None
    # A width of its own: the pipe to the pager has none.
    paged = _PagedConsole(pager.stdin, force_terminal=True, width=terminal.width)
    try:
        with suppress(BrokenPipeError):
            yield paged
    except KeyboardInterrupt:
        meet_stop()
        raise
    finally:
        with suppress(BrokenPipeError):
            pager.stdin.close()
        pager.wait()
