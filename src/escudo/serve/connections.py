"""Bytes of a connection -> requests, by uvicorn's protocol, within bounds of time and size; ``run``
gives it to uvicorn, which has none of these bounds itself."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 15.0
"""Seconds from a connection's beginning, or a request's, to the end of its headers."""

MOST_HEAD = 64 << 10
"""Bytes of a request's line and headers (nginx: 32 KiB, Apache: 8 KiB a line)."""

MOST_HEADERS = 200


_TOO_LONG = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


class BoundedProtocol(HttpToolsProtocol):
    """Closes connections whose headers do not come, and answers 431 where they are too long."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._head_size = self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None
        self._too_long = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._begin_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._head_timer is not None:
            # The parser keeps what is no complete header yet, and calls nobody about it.
            self._head_size += len(data)
            if self._head_size > MOST_HEAD:
                self._too_long = True
                self.send_400_response("")
        elif self.timeout_keep_alive_task is None and self.cycle.response_complete:
            self._begin_head()  # empty lines between two requests

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._head_timer is None:
            self._begin_head()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._count(len(name) + len(value))

    def on_headers_complete(self) -> None:
        self._end_head()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        self._end_head()
        if not self._too_long:
            super().send_400_response(msg)
            return
        self.transport.write(_TOO_LONG)
        self.transport.close()

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > MOST_HEAD or len(self.headers) > MOST_HEADERS:
            self._too_long = True
            raise ValueError("the headers are too long")  # ends the parser's work

    def _begin_head(self) -> None:
        self._end_head()
        self._head_size = self._head_bytes = 0
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _end_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
