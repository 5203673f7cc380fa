"""The text at a prompt -> what is wrong in it, in a thread of its own, so that nobody waits while
typing; the prompt asks it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from escudo.core.errors import Diagnostic

QUIET_SECONDS = 0.4
"""Seconds without a key until a text is checked."""


class Checker:
    """Checks the newest text; a text that is replaced meanwhile is not told of.

    Args:
        check: text -> what is wrong.
        tell: is called when something new is known, in the checker's thread.
    """

    def __init__(
        self, check: Callable[[str], tuple[Diagnostic, ...]], tell: Callable[[], None]
    ) -> None:
        self._check = check
        self._tell = tell
        self._changed = threading.Condition()
        self._text = ""
        self._version = 0
        self._ended = False
        self.found: tuple[Diagnostic, ...] = ()
        self._thread = threading.Thread(target=self._work, name="escudo-check", daemon=True)
        self._thread.start()

    def look_at(self, text: str) -> None:
        """Takes a text to check; what was known of another one is forgotten."""
        with self._changed:
            if text != self._text:
                self._text = text
                self._version += 1
                self.found = ()
                self._changed.notify()

    def end(self) -> None:
        """Ends the thread; what it is at is not awaited."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def _work(self) -> None:
        checked = 0
        while True:
            with self._changed:
                while self._version == checked and not self._ended:
                    self._changed.wait()
                seen = self._version
                while not self._ended and self._changed.wait(QUIET_SECONDS):
                    seen = self._version
                if self._ended:
                    return
                text = self._text
            found = self._check(text)
            with self._changed:
                checked = seen
                if self._version != seen:
                    continue
                self.found = found
            self._tell()
