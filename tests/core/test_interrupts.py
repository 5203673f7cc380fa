"""What is kept of a run that was stopped."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from escudo.core.interrupts import StopHandler, Stopped, take_until_stopped


@pytest.fixture
def handler() -> Iterator[StopHandler]:
    before = signal.getsignal(signal.SIGTERM)
    placed = StopHandler()
    signal.signal(signal.SIGTERM, placed)
    yield placed
    signal.signal(signal.SIGTERM, before)


def test_what_came_before_a_stop_is_kept_and_the_stop_is_met(handler: StopHandler) -> None:
    def make() -> Iterator[int]:
        yield 1
        signal.raise_signal(signal.SIGTERM)
        yield 2

    taken, stopped = take_until_stopped(make())
    assert taken == [1]
    assert stopped is not None
    assert stopped.exit_code == 143
    assert handler.met.is_set()


def test_what_was_made_while_a_stop_came_is_left_out(handler: StopHandler) -> None:
    """As where a library swallows the exception and gives what it has."""

    def make() -> Iterator[int]:
        yield 1
        try:
            signal.raise_signal(signal.SIGTERM)
        except Stopped:
            yield 2

    taken, stopped = take_until_stopped(make())
    assert taken == [1]
    assert stopped is not None
    assert stopped.number == signal.SIGTERM


def test_other_errors_are_raised() -> None:
    def make() -> Iterator[int]:
        yield 1
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        take_until_stopped(make())
