"""A request -> the same, or a refusal before any route sees it; ``app`` puts one around all routes.

It looks at what no route should have to: the host that the request names, the site whose page sent
it, how much it brings, and how slowly.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from escudo.serve.guard import FOR_PROGRAMS, SAFE

BODY_SECONDS = 30.0
"""Seconds that a sender may take for its body, beside what its length takes."""

SLOWEST = 500.0
"""Bytes a second that a body must come with, on average."""

_PROBED = "/services/collector/health"
"""How the paths begin by which load balancers ask, under whatever name they know this server."""

_OTHER_SITES = frozenset({"cross-site", "same-site"})
"""Values of Sec-Fetch-Site (Fetch Metadata, 2.4): another site, or another host of the same."""


@dataclass(frozen=True, slots=True)
class Door:
    """Stands before all routes.

    ``hosts`` are the names that a browser may call this server by, beside any address: another name
    is that of a page whose owner has it lead here (DNS rebinding). ``most_body`` is in bytes.
    """

    app: ASGIApp
    hosts: Collection[str]
    most_body: int
    body_seconds: float = BODY_SECONDS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        refusal = self._refuse(request)
        if refusal is not None:
            status, text = refusal
            answer = JSONResponse({"messages": [{"type": "ERROR", "text": text}]}, status)
            answer.headers["connection"] = "close"
            await answer(scope, receive, send)
            return
        await self.app(scope, _Body(receive, self.most_body, self.body_seconds).receive, send)

    def _refuse(self, request: Request) -> tuple[int, str] | None:
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length[:20]) > self.most_body:
            return 413, f"a request brings at most {self.most_body:,} bytes"
        if _is_from_elsewhere(request):
            return 403, "another site's page sent this"
        # A page of another name has neither cookies nor passwords that were given to ours: only
        # who brings none of his own may be somebody else's browser that was led here.
        proven = "authorization" in request.headers or request.url.path.startswith(_PROBED)
        if not proven and not self._is_ours(request.headers.get("host", "")):
            return 421, "this server is not called that: give --allow-host with the name"
        return None

    def _is_ours(self, host: str) -> bool:
        name = _split_host(host)
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name in self.hosts
        return True


def _split_host(host: str) -> str:
    """The name in a Host header, without port and brackets; empty for what is none."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_from_elsewhere(request: Request) -> bool:
    """Whether a page of another site had the browser send it. A link to a page of ours is fine."""
    changes = request.method not in SAFE
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        leads_here = request.headers.get("sec-fetch-mode") == "navigate"
        is_page = leads_here and not request.url.path.startswith(FOR_PROGRAMS)
        return site in _OTHER_SITES and (changes or not is_page)
    origin = request.headers.get("origin")
    if origin is None or not changes:
        return False
    return urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower()


class _Body:
    """What a request brings, counted and timed; only the waiting for the sender counts."""

    def __init__(self, receive: Receive, most: int, seconds: float) -> None:
        self._receive = receive
        self._most = most
        self._left = seconds
        self._size = 0
        self._complete = False

    async def receive(self) -> Message:
        """The next message.

        Raises:
            HTTPException: 413 for a body that is too large, 408 for one that does not come.
        """
        if self._complete:
            return await self._receive()
        begun = time.monotonic()
        try:
            async with asyncio.timeout(max(0.0, self._left)):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, "the body did not come") from None
        size = len(message.get("body", b""))
        self._size += size
        self._left += size / SLOWEST - (time.monotonic() - begun)
        self._complete = not message.get("more_body", False)
        if self._size > self._most:
            raise HTTPException(413, f"a request brings at most {self._most:,} bytes")
        return message
