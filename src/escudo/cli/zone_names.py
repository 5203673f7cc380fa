"""The name of a time zone -> the zone; options, settings and the shell call it."""

from __future__ import annotations

import difflib
import os
from contextlib import suppress
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, available_timezones

from escudo.core.errors import EscudoError


def find_zone(name: str) -> tzinfo:
    """The time zone of a name of the IANA database, ``UTC``, or ``local``.

    >>> find_zone("utc")
    datetime.timezone.utc

    Raises:
        EscudoError: CLI020 where there is none of the name, with those that are like it.
    """
    if name.upper() in ("UTC", "Z", ""):
        return UTC
    if name.lower() == "local":
        return _find_local_zone()
    with suppress(OSError, ValueError, KeyError):
        return ZoneInfo(name)  # to list all names takes 0.1 s (2026-11-29)
    known = {n.lower(): n for n in available_timezones()}
    exact = known.get(name.lower())
    if exact is not None:
        return ZoneInfo(exact)
    near = difflib.get_close_matches(name.lower(), known, 3)
    places = [n for n in known if n.rpartition("/")[2] == name.lower().replace(" ", "_")]
    hint = " or ".join(known[n] for n in dict.fromkeys([*places, *near])) or "Europe/Berlin"
    raise EscudoError("CLI020", f"--tz: no time zone is named {name!r}", hint=f"such as {hint}")


def _find_local_zone() -> tzinfo:
    """The zone of ``TZ`` or of ``/etc/localtime``; where neither names one, UTC."""
    named = os.environ.get("TZ", "").lstrip(":")
    link = os.path.realpath("/etc/localtime").rpartition("/zoneinfo/")[2]
    for name in (named, link):
        if name and name in available_timezones():
            return ZoneInfo(name)
    return UTC
