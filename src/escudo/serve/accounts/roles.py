"""A file of limits, the state -> what the roles may search and take; ``accounts`` asks it.

The file (``escudo serve --limits FILE``) has a table for each role that is to have others than
Escudo's::

    [roles.viewer]
    indexes = ["main", "win*"]
    seconds = 60
    rows = 10000
    memory = "1GB"
    at_once = 2

What an administrator changes while it runs is in the state, and goes before the file.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from escudo.core.errors import EscudoError
from escudo.schedule.database import State
from escudo.serve.accounts.principal import SearchLimits
from escudo.serve.configuration import Configuration
from escudo.serve.permissions import ROLES

KIND = "role"
"""The kind of setting that a role's are."""

FRESH_SECONDS = 2.0
"""For how long what the state says is believed: each request asks."""


_MEMORY = re.compile(r"[1-9]\d{0,6}(\.\d{1,3})? ?[KMGT]i?B", re.IGNORECASE)
"""An amount of memory as DuckDB reads it."""


@dataclass(frozen=True, slots=True)
class RoleSettings:
    """What a role sees, by names of indexes with ``*``, and what one search of it may take."""

    indexes: tuple[str, ...] = ("*",)
    limits: SearchLimits = field(default_factory=SearchLimits)

    def as_dict(self) -> dict[str, Any]:
        """As the file has it."""
        return {"indexes": list(self.indexes), **asdict(self.limits)}


class Roles:
    """The settings of the roles of a state, over those of a file."""

    def __init__(
        self,
        state: State,
        *,
        clock: Callable[[], float],
        base: Mapping[str, RoleSettings] | None = None,
    ) -> None:
        self._configuration = Configuration(state, clock=clock)
        self._clock = clock
        self._base = dict(base or {})
        self._known: tuple[float, Mapping[str, RoleSettings]] | None = None

    def read_all(self) -> Mapping[str, RoleSettings]:
        """The settings of every role."""
        now = self._clock()
        if self._known is not None and 0 <= now - self._known[0] < FRESH_SECONDS:
            return self._known[1]
        changed = {setting.name: setting.value for setting in self._configuration.list(KIND)}
        every = {
            role: read_role(role, changed.get(role, {}), self._base.get(role, RoleSettings()))
            for role in ROLES
        }
        self._known = now, every
        return every

    def change(self, role: str, values: Mapping[str, Any]) -> RoleSettings:
        """Changes some settings of a role.

        Raises:
            EscudoError: SRV002 for a role that is none, SRV091 for a setting that cannot be.
        """
        if role not in ROLES:
            raise EscudoError("SRV002", f"roles are {', '.join(ROLES)}, not {role}")
        settings = read_role(role, values, self.read_all()[role])
        self._configuration.put(KIND, role, settings.as_dict())
        self._known = None
        return settings

    def combine(self, roles: Sequence[str]) -> RoleSettings:
        """Those of one who has several roles: the indexes of all, the limits of the highest."""
        every = self.read_all()
        held = [every[role] for role in ROLES if role in roles]
        if not held:
            return RoleSettings(indexes=())
        indexes = dict.fromkeys(name for settings in held for name in settings.indexes)
        return RoleSettings(tuple(indexes), held[-1].limits)


def read_limits(path: Path) -> Mapping[str, RoleSettings]:
    """The settings of roles in a file.

    Raises:
        EscudoError: SRV091 for a file that cannot be read, a key that is not known, a value that
            cannot be; SRV002 for a role that is none.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EscudoError("SRV091", f"{path}: {error}") from error
    roles = table.pop("roles", {})
    if table or not isinstance(roles, dict):
        known = ", ".join(table) or "roles"
        raise EscudoError("SRV091", f"{path}: it has tables [roles.NAME] alone, not {known}")
    for role in roles:
        if role not in ROLES:
            raise EscudoError("SRV002", f"{path}: roles are {', '.join(ROLES)}, not {role}")
    return {role: read_role(f"{path}: {role}", values) for role, values in roles.items()}


def read_role(place: str, values: object, base: RoleSettings | None = None) -> RoleSettings:
    """Settings as a file or the API gives them, over others; ``place`` is what a message begins
    with.

    Raises:
        EscudoError: SRV091 for a key that is not known, a value that cannot be.

    >>> read_role("viewer", {"rows": 5}).limits.rows
    5
    """
    base = base or RoleSettings()
    if not isinstance(values, Mapping):
        raise EscudoError("SRV091", f"{place}: it is no table")
    checked = {key: _check(place, key, value) for key, value in values.items()}
    indexes = checked.pop("indexes", base.indexes)
    return RoleSettings(indexes, replace(base.limits, **checked))


def _check(place: str, key: str, value: object) -> Any:
    right = False
    match key:
        case "indexes":
            right = isinstance(value, list | tuple) and all(_is_index(name) for name in value)
            value = tuple(value) if isinstance(value, list | tuple) else value
        case "seconds":
            right = _is_number(value) and 1 <= value <= 86_400  # type: ignore[operator]
        case "rows":
            right = isinstance(value, int) and _is_number(value) and 1 <= value <= 100_000_000
        case "at_once":
            right = isinstance(value, int) and _is_number(value) and 1 <= value <= 100
        case "memory":
            right = isinstance(value, str) and _MEMORY.fullmatch(value) is not None
        case _:
            known = "indexes, seconds, rows, memory, at_once"
            raise EscudoError("SRV091", f"{place}: {key!r} is none of {known}")
    if not right:
        raise EscudoError("SRV091", f"{place}: {key} cannot be {value!r}")
    return value


def _is_index(name: object) -> bool:
    return isinstance(name, str) and 0 < len(name) <= 200 and name.isprintable()


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
