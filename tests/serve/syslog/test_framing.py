"""Bytes of a connection -> messages (RFC 6587, 3.4.1 and 3.4.2)."""

from __future__ import annotations

import pytest

from escudo.serve.syslog.framing import Frames, FramingError

STREAM = b"5 <13>a<13>b\n<13>c d\r\n7 <13>e\nf\n\n<13>g"
MESSAGES = [b"<13>a", b"<13>b", b"<13>c d", b"<13>e\nf", b"<13>g"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_messages_are_the_same_however_they_come(size: int) -> None:
    frames = Frames()
    found = [
        message
        for start in range(0, len(STREAM), size)
        for message in frames.add(STREAM[start : start + size])
    ]
    assert found + frames.end() == MESSAGES


@pytest.mark.parametrize("data", [b"99999999 <13>", b"<13>" + b"x" * 200, b"x" * 200])
def test_a_message_that_is_too_long_ends_it(data: bytes) -> None:
    with pytest.raises(FramingError):
        Frames(most=100).add(data)


def test_a_message_that_breaks_off_is_none() -> None:
    frames = Frames()
    assert frames.add(b"50 <13>half") == []
    assert frames.end() == []
