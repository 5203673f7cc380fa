"""A request -> its body, unpacked and bounded; the doors of HEC and Elasticsearch call it."""

from __future__ import annotations

import zlib

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

_INLINE_BYTES = 64 << 10
"""Packed bytes that are unpacked at once; more are unpacked beside the loop of requests."""
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


class BodyError(Exception):
    """A body that is not taken, with the status that says so."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        super().__init__(text)


async def read_body(request: Request, most: int) -> bytes:
    """The body of a request.

    Args:
        most: how many bytes it may have, packed and unpacked.

    Raises:
        BodyError: 413 for one that is too large, 415 for one that is packed otherwise than by gzip
            or deflate, 400 for one that cannot be unpacked.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most:
        raise BodyError(413, f"the body has more than {most:,} bytes")
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise BodyError(413, f"the body has more than {most:,} bytes")
        parts.append(part)
    body = b"".join(parts)
    packing = request.headers.get("content-encoding", "identity").strip().lower()
    if packing in ("identity", ""):
        return body
    if packing not in ("gzip", "x-gzip", "deflate"):
        raise BodyError(415, f"the body is packed by {packing!r}; gzip is known")
    if len(body) <= _INLINE_BYTES:
        return unpack(body, most)
    return await run_in_threadpool(unpack, body, most)


def unpack(packed: bytes, most: int) -> bytes:
    r"""What gzip or zlib packed, in one member or several.

    >>> import gzip
    >>> unpack(gzip.compress(b"one ") + gzip.compress(b"two"), 100)
    b'one two'

    Raises:
        BodyError: 413 where it unpacks to more than ``most`` bytes; no more than that is unpacked.
            400 where it is damaged.
    """
    parts: list[bytes] = []
    left = most
    while packed:
        member = zlib.decompressobj(_GZIP_OR_ZLIB)
        try:
            part = member.decompress(packed, left + 1)
        except zlib.error as error:
            raise BodyError(400, f"the body cannot be unpacked: {error}") from None
        if len(part) > left:
            raise BodyError(413, f"the body unpacks to more than {most:,} bytes")
        if not member.eof:
            raise BodyError(400, "the body cannot be unpacked: it breaks off")
        parts.append(part)
        left -= len(part)
        packed = member.unused_data.lstrip(b"\0")
    return b"".join(parts)
