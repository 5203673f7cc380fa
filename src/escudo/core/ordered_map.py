"""Function, items -> results in order, made by threads a few items ahead; called by actions."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from escudo.core.interrupts import is_stopping

T = TypeVar("T")
R = TypeVar("R")


def _nothing(_: object) -> bool:
    return False


def _anything(_: object) -> bool:
    return True


@dataclass
class _Ahead(Generic[T, R]):
    """A call that was begun; ``suspect``: what it reads may have been changed since."""

    item: T
    future: Future[R]
    suspect: bool = False


def map_in_order(
    function: Callable[[T], R],
    items: Sequence[T],
    *,
    threads: int,
    changes: Callable[[R], bool] = _nothing,
    is_stale: Callable[[R], bool] = _anything,
) -> Iterator[R]:
    """The results of a function for some items, in their order.

    Up to ``threads`` calls run at once, some more are made ready, so that a slow one does not keep
    the others waiting. It pays where the function leaves the interpreter's lock. With one thread
    nothing is done before it is asked for.

    After a result that ``changes`` what calls read (the consumer does so, before it asks for the
    next one), what was done ahead is done anew where it ``is_stale``.

    >>> list(map_in_order(str.upper, ["a", "b", "c"], threads=2))
    ['A', 'B', 'C']
    """
    depth = 1 if threads == 1 else 4 * threads
    started: deque[_Ahead[T, R]] = deque()
    pool = ThreadPoolExecutor(threads, "escudo-ahead")

    def begin(item: T) -> _Ahead[T, R]:
        return _Ahead(item, pool.submit(function, item))

    try:
        for number in range(len(items)):
            for item in items[number + len(started) : number + depth]:
                started.append(begin(item))
            first = started.popleft()
            if first.suspect and (first.future.exception() or is_stale(first.future.result())):
                first = begin(first.item)
            result = first.future.result()
            yield result
            if changes(result):
                for ahead in started:
                    ahead.suspect = True
    except (KeyboardInterrupt, GeneratorExit):
        pool.shutdown(wait=False, cancel_futures=True)  # nobody wants what still runs
        raise
    finally:
        # What runs cannot be stopped: who was asked to end does not wait for it.
        pool.shutdown(wait=not is_stopping(), cancel_futures=True)
