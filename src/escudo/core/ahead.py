"""Calls a function for one item after the other, in threads that are a few items ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Ahead(Generic[T, R]):
    """The results of a function for some items, in their order; use it in a ``with`` block.

    Up to ``threads`` calls run at once, some more are made ready, so that a slow one does not keep
    the others waiting. It pays where the function leaves the interpreter's lock.
    Whoever changes what the calls read says so by ``forget``: items after the last result are done
    anew. With one thread nothing is done before it is asked for.

    >>> with Ahead(str.upper, ["a", "b", "c"], threads=2) as results:
    ...     list(results)
    ['A', 'B', 'C']
    """

    def __init__(self, function: Callable[[T], R], items: Sequence[T], *, threads: int) -> None:
        self._function = function
        self._items = items
        self._depth = 1 if threads == 1 else 4 * threads
        self._pool = ThreadPoolExecutor(threads, "escudo-ahead")
        self._started: deque[Future[R]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def __iter__(self) -> Iterator[R]:
        for number in range(len(self._items)):
            first = number + len(self._started)
            for item in self._items[first : number + self._depth]:
                self._started.append(self._pool.submit(self._function, item))
            yield self._started.popleft().result()

    def forget(self) -> None:
        """Drops what was done ahead of the last result."""
        for future in self._started:
            future.cancel()
        self._started.clear()
