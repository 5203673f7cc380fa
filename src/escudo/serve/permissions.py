"""What somebody may do here, the roles that may do it, and what each route asks for; routes are
written with it, ``guard`` holds them to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_ATTRIBUTE = "__escudo_permission__"


class Permission(StrEnum):
    """One right. A role has some; a route asks for one."""

    ANYBODY = "anybody"
    """Asked of routes that answer without a log-in, such as the log-in itself; no role needs it."""
    KNOWN = "known"
    """Asked of routes that answer whoever is logged in."""
    READ = "read"
    """See findings, risk, detections, sources."""
    SEARCH = "search"
    """Run searches, and keep them."""
    TRIAGE = "triage"
    """Change findings: state, owner, comments."""
    TUNE = "tune"
    """Change what detections find: overlays, suppressions, schedules; run their tests."""
    WRITE = "write"
    """Let a search write: lookups, indexes, collections."""
    DELETE = "delete"
    """Let a search take events out of the lake."""
    SEND = "send"
    """Send events; tokens have it, and nothing else."""
    ADMINISTER = "administer"
    """Users, tokens, indexes, settings, the audit log."""


_VIEWER = frozenset({Permission.KNOWN, Permission.READ, Permission.SEARCH})
_ANALYST = _VIEWER | {Permission.TRIAGE}
_ENGINEER = _ANALYST | {Permission.TUNE, Permission.WRITE}
_ADMIN = _ENGINEER | {Permission.DELETE, Permission.SEND, Permission.ADMINISTER}

ROLES: Mapping[str, frozenset[Permission]] = {
    "viewer": _VIEWER,
    "analyst": _ANALYST,
    "engineer": _ENGINEER,
    "admin": _ADMIN,
}
"""The roles, each with the rights of those before it."""


def asks(permission: Permission) -> Callable[[F], F]:
    """Says which right the route of an endpoint asks for. A route that says nothing is refused when
    the server starts.

    >>> @asks(Permission.READ)
    ... def show() -> None: ...
    >>> find_permission(show)
    <Permission.READ: 'read'>
    """

    def mark(endpoint: F) -> F:
        setattr(endpoint, _ATTRIBUTE, permission)
        return endpoint

    return mark


def find_permission(endpoint: object) -> Permission | None:
    """What ``asks`` said of an endpoint; None: nothing."""
    found = getattr(endpoint, _ATTRIBUTE, None)
    return found if isinstance(found, Permission) else None
