"""What Ctrl-C and SIGTERM become: an exception, and its handler; ``startup`` puts it in place, who
runs long meets it."""

from __future__ import annotations

import signal
from collections.abc import Iterable
from threading import Event
from types import FrameType
from typing import TypeVar

T = TypeVar("T")


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


class StopHandler:
    """The handler of both signals: raises ``Stopped`` in the main thread, once.

    ``number`` is the first signal that came; ``met`` is set by who tells what was done (see
    ``meet_stop``).
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self.met = Event()

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        if self.number is None:
            self.number = number
            raise Stopped(number)


class PromptHandler:
    """The handler of Ctrl-C at a prompt: raises ``KeyboardInterrupt`` as often as it comes.

    ``came`` is whether it has come since who reads the prompt last set it to False. A library that
    was at work may have made another exception of it.
    """

    def __init__(self) -> None:
        self.came = False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        self.came = True
        raise KeyboardInterrupt


def find_stop(error: BaseException) -> Stopped:
    """What stopped the process. A library that was at work may have made another exception of it;
    then the handler knows.

    >>> find_stop(KeyboardInterrupt()).exit_code
    130
    """
    if isinstance(error, Stopped):
        return error
    handler = signal.getsignal(signal.SIGTERM)
    known = handler.number if isinstance(handler, StopHandler) else None
    return Stopped(signal.SIGINT if known is None else known)


def is_stopping() -> bool:
    """Whether a stop has come.

    >>> is_stopping()
    False
    """
    handler = signal.getsignal(signal.SIGTERM)
    return isinstance(handler, StopHandler) and handler.number is not None


def meet_stop() -> None:
    """Says that the stop has come to who tells of what was done. Who does not say so within a
    second is taken to be stuck in a library, and the process ends (``startup``)."""
    handler = signal.getsignal(signal.SIGTERM)
    if isinstance(handler, StopHandler):
        handler.met.set()


def take_until_stopped(items: Iterable[T]) -> tuple[list[T], Stopped | None]:
    """All items, or those up to a stop, and the stop, which is met.

    An item that came after the stop is left out: what made it may have been disturbed.

    >>> take_until_stopped(iter("ab"))
    (['a', 'b'], None)
    """
    taken: list[T] = []
    try:
        for item in items:
            if is_stopping():
                raise KeyboardInterrupt
            taken.append(item)
    except KeyboardInterrupt as error:
        meet_stop()
        return taken, find_stop(error)
    return taken, None
