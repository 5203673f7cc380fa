"""A request of Splunk's clients -> the same as the routes expect it, and a response as the clients
do; ``app`` puts it before all routes.

In paths ``+`` is a blank, as splunk-sdk writes names; a slash that is encoded belongs to a name.
HTTP/1.1 needs no ``Connection: keep-alive``, and splunk-sdk takes a response without it for one
whose connection is closed, before it has read the body.
"""

from __future__ import annotations

from urllib.parse import unquote

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SLASH = "\ue02f"
"""Stands in a path for a slash of a name, until the route has read the name (``call``)."""


class SplunkPaths:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/services"):
            await self._app(scope, receive, send)
            return

        async def say(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).setdefault("connection", "keep-alive")
            await send(message)

        await self._app({**scope, "path": read_path(scope)}, receive, say)


def read_path(scope: Scope) -> str:
    """The path of a request, with blanks for ``+`` and ``SLASH`` for slashes of names.

    >>> read_path({"raw_path": b"/services/a%2Fb+c", "path": "/services/a/b+c"})
    '/services/a\\ue02fb c'
    """
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    text = raw.decode("latin-1").partition("?")[0].replace("+", "%20")
    for slash in ("%2F", "%2f"):
        text = text.replace(slash, "%EE%80%AF")
    return unquote(text)
