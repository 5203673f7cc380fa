"""The exception that Ctrl-C and SIGTERM become; raised by ``startup``, met by who runs long."""

from __future__ import annotations

import signal


class Stopped(KeyboardInterrupt):
    """The user or the system asked the process to end; ``exit_code`` is the shell's for it.

    >>> Stopped(signal.SIGTERM).exit_code
    143
    """

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(signal.Signals(number).name)

    @property
    def exit_code(self) -> int:
        return 128 + self.number
