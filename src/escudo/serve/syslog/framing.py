"""Bytes of a TCP connection -> messages of syslog; ``listening`` calls it.

RFC 6587: a message has its length before it (``34 <13>1 ...``, octet counting), or ends with a line
feed. Each message says by its first byte which of them it is; senders that mix are read, too.
"""

from __future__ import annotations

MOST_BYTES = 1 << 20
"""Bytes of a message. RFC 5425 asks for 2048; events of Windows in a message have more."""
_DIGITS = frozenset(b"123456789")
_MOST_DIGITS = 8
_LINE_END = 0x0A


class FramingError(Exception):
    """What comes is no syslog: the connection is of no more use."""


class Frames:
    r"""Cuts messages out of what a connection brings.

    >>> frames = Frames()
    >>> frames.add(b"5 <13>a<13>b\n3 <1"), frames.add(b">"), frames.end()
    ([b'<13>a', b'<13>b'], [b'<1>'], [])
    """

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._rest = bytearray()

    def add(self, data: bytes) -> list[bytes]:
        """The messages that are whole now.

        Raises:
            FramingError: a message that is longer than any may be.
        """
        rest = self._rest
        rest += data
        messages: list[bytes] = []
        at = 0
        while at < len(rest):
            if rest[at] in _DIGITS:
                space = rest.find(b" ", at, at + _MOST_DIGITS + 1)
                if space < 0 and len(rest) - at <= _MOST_DIGITS:
                    break
                digits = bytes(rest[at:space]) if space >= 0 else b""
                if digits.isdigit():
                    size = int(digits)
                    if size > self._most:
                        raise FramingError(f"a message of {size:,} bytes")
                    if len(rest) - space - 1 < size:
                        break
                    _put(messages, bytes(rest[space + 1 : space + 1 + size]))
                    at = space + 1 + size
                    continue
            end = rest.find(_LINE_END, at)
            if end < 0:
                break
            _put(messages, bytes(rest[at:end]))
            at = end + 1
        del rest[:at]
        if len(rest) > self._most + _MOST_DIGITS + 1:
            raise FramingError(f"a message of more than {self._most:,} bytes")
        return messages

    def end(self) -> list[bytes]:
        """What is left where the connection ends: a last line without its line feed."""
        rest, self._rest = bytes(self._rest), bytearray()
        messages: list[bytes] = []
        if rest[:1] == b"<":
            _put(messages, rest)
        return messages


def _put(messages: list[bytes], message: bytes) -> None:
    message = message.rstrip(b"\r\n\0")
    if message:
        messages.append(message)
