"""The places that every page links to; ``rendering`` shows those that the user may see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from escudo.serve.accounts.principal import Principal
from escudo.serve.permissions import Permission


@dataclass(frozen=True, slots=True)
class Place:
    """A page in the navigation. ``icon`` is a symbol of ``icons.html``; ``key`` goes there after
    ``g``."""

    path: str
    name: str
    icon: str
    key: str
    permission: Permission = Permission.READ

    def is_around(self, path: str) -> bool:
        """Whether a path is this place, or below it.

        >>> Place("/risk", "Risk", "risk", "r").is_around("/risk/host")
        True
        """
        return path == self.path or (self.path != "/" and path.startswith(f"{self.path}/"))


PLACES: tuple[tuple[str, tuple[Place, ...]], ...] = (
    (
        "Operate",
        (
            Place("/", "Overview", "overview", "o"),
            Place("/findings", "Findings", "findings", "f"),
            Place("/risk", "Risk", "risk", "r"),
            Place("/entities", "Hosts and users", "entities", "e"),
        ),
    ),
    (
        "Investigate",
        (
            Place("/search", "Search", "search", "s", Permission.SEARCH),
            Place("/dashboards", "Dashboards", "dashboards", "b", Permission.SEARCH),
        ),
    ),
    (
        "Cover",
        (
            Place("/detections", "Detections", "detections", "d"),
            Place("/attack", "ATT&CK", "matrix", "a"),
            Place("/tuning", "Tuning", "tune", "t"),
            Place("/sources", "Sources", "sources", "c"),
        ),
    ),
    (
        "Administer",
        (
            Place("/admin/users", "Users", "users", "u", Permission.ADMINISTER),
            Place("/admin/tokens", "Tokens", "tokens", "k", Permission.ADMINISTER),
            Place("/admin/roles", "Roles and limits", "tune", "l", Permission.ADMINISTER),
            Place("/admin/audit", "Audit log", "audit", "h", Permission.ADMINISTER),
        ),
    ),
)
"""Groups of places, each with its heading."""


def list_places(
    who: Principal | None, served: frozenset[str]
) -> Iterator[tuple[str, tuple[Place, ...]]]:
    """The groups that somebody sees, of the paths that are served."""
    for heading, places in PLACES:
        seen = tuple(
            p for p in places if p.path in served and who is not None and who.may(p.permission)
        )
        if seen:
            yield heading, seen
