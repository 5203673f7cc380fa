"""What went wrong -> a page that says so; ``app`` calls it for requests that are not programs'."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from escudo.serve.pages.rendering import render


@dataclass(frozen=True, slots=True)
class _Words:
    title: str
    text: str


_WORDS = {
    400: _Words("This cannot be done", "The request was not one that can be answered."),
    403: _Words("Not allowed", "Your role does not have the right that this needs."),
    404: _Words("Not here", "There is no such page, or what it showed is gone."),
    500: _Words("Something broke", "The fault is ours. It is in the server's log."),
    503: _Words("Not now", "The server is too busy. Try again in a moment."),
}


def render_error(request: Request, status: int, text: str = "", *, hint: str = "") -> Response:
    """A page about an error. ``text`` says what is wrong in this case."""
    words = _WORDS.get(status, _WORDS[500 if status >= 500 else 400])
    return render(
        request,
        "error.html",
        status=status,
        code=status,
        heading=words.title,
        text=text or words.text,
        hint=hint,
    )


def wants_page(request: Request) -> bool:
    """Whether a person's browser asks for a page, not a program or a script for data."""
    if request.headers.get("hx-request"):
        return False
    return "text/html" in request.headers.get("accept", "")
