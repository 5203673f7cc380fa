"""Who asks: a user, or a token; made by ``accounts``, read by whoever answers."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field

from escudo.serve.permissions import ROLES, Permission


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """What one search of a role may take: ``seconds`` of time, ``rows`` of results, ``memory`` as
    DuckDB writes it, ``at_once`` searches of one user."""

    seconds: float = 600.0
    rows: int = 500_000
    memory: str = "2GB"
    at_once: int = 4


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who is logged in.

    ``indexes`` are the names, with ``*``, of the indexes whose events he sees; ``csrf`` is what
    forms must bring back of one who came by a session's cookie; ``address`` is where he asks from.

    >>> who = Principal("ana", ("analyst",), indexes=("win*",))
    >>> who.may(Permission.TRIAGE), who.may(Permission.ADMINISTER), who.sees("winlogs")
    (True, False, True)
    """

    name: str
    roles: tuple[str, ...]
    indexes: tuple[str, ...] = ("*",)
    csrf: str | None = field(default=None, repr=False)
    address: str = ""
    must_change: bool = False
    limits: SearchLimits = field(default_factory=SearchLimits)

    def may(self, permission: Permission) -> bool:
        if permission is Permission.ANYBODY:
            return True
        return any(permission in ROLES.get(role, ()) for role in self.roles)

    def sees(self, index: str) -> bool:
        return any(fnmatch.fnmatchcase(index, pattern) for pattern in self.indexes)
