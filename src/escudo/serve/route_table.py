"""An application -> its routes with the right that each asks for; the table of rights in the docs
and the test of it read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from starlette.routing import BaseRoute, Mount, Route

from escudo.serve.guard import Guard
from escudo.serve.permissions import ROLES, Permission


@dataclass(frozen=True, slots=True)
class GuardedRoute:
    """One method of one route; ``guard`` stands before it."""

    method: str
    path: str
    permission: Permission
    guard: Guard

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that it answers."""
        if self.permission is Permission.ANYBODY:
            return tuple(ROLES)
        return tuple(role for role, rights in ROLES.items() if self.permission in rights)


def list_guarded(routes: Iterable[BaseRoute], prefix: str = "") -> Iterator[GuardedRoute]:
    """The routes of an application that ``app.guard_routes`` has been through, in its order.

    Raises:
        ValueError: a route that nobody guards.
    """
    for route in routes:
        if isinstance(route, Mount):
            yield from list_guarded(route.routes, f"{prefix}{route.path}")
        elif isinstance(route, Route) and isinstance(route.app, Guard):
            for method in sorted(route.methods or {"GET"}):
                if method != "HEAD":
                    yield GuardedRoute(
                        method, f"{prefix}{route.path}", route.app.permission, route.app
                    )
        else:
            raise ValueError(f"nobody guards {route!r}")
