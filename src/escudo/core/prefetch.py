"""An iterator -> the same items, made in a thread a few ahead of who consumes them."""

from __future__ import annotations

from collections.abc import Iterator
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import TypeVar, overload

T = TypeVar("T")

_POLL_SECONDS = 0.1
"""Seconds until a thread with a full queue looks whether its consumer has stopped."""


class _End:
    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


@overload
def prefetch(items: Iterator[T], depth: int) -> Iterator[T]: ...


@overload
def prefetch(items: Iterator[T], depth: int, idle: float) -> Iterator[T | None]: ...


def prefetch(items: Iterator[T], depth: int, idle: float | None = None) -> Iterator[T | None]:
    """The items of an iterator, made in a thread of its own, at most ``depth`` waiting.

    It pays where making an item leaves the interpreter's lock (parsers and compressors in C). An
    exception of the iterator is raised here, in its place. When the consumer stops early, so
    does the thread. With ``idle``, None is given whenever no item came for so many seconds.

    >>> list(prefetch(iter(range(3)), 1))
    [0, 1, 2]
    """
    queue: Queue[T | _End] = Queue(depth)
    stopped = Event()

    def put(entry: T | _End) -> bool:
        while not stopped.is_set():
            try:
                queue.put(entry, timeout=_POLL_SECONDS)
            except Full:
                continue
            return True
        return False

    def run() -> None:
        try:
            for item in items:
                if not put(item):
                    return
        except BaseException as error:
            put(_End(error))
        else:
            put(_End())

    thread = Thread(target=run, name="escudo-read", daemon=True)
    thread.start()
    try:
        while True:
            try:
                item = queue.get(timeout=idle)
            except Empty:
                yield None
                continue
            if not isinstance(item, _End):
                yield item
            elif item.error is None:
                return
            else:
                raise item.error
    finally:
        stopped.set()
