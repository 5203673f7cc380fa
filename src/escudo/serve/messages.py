"""The form of what every route answers that does not do what it was asked to; ``failures`` fills
it, the OpenAPI description shows it."""

from __future__ import annotations

from pydantic import BaseModel


class FailureMessage(BaseModel):
    """One thing that is wrong. ``code`` is that of ``docs/errors.md``, ``help`` what to do."""

    type: str
    text: str
    code: str | None = None
    help: str | None = None


class Failure(BaseModel):
    """What is wrong."""

    messages: list[FailureMessage]
