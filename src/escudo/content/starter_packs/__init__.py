"""The name of a pack -> its folder: content that comes with Escudo and is used where it is asked
for. Each pack is laid out as a content repository of its own."""

from __future__ import annotations

import os
from pathlib import Path

from escudo.content.roots import CONFIG
from escudo.core.errors import EscudoError

_PREFIX = "pack:"


def list_starter_packs() -> tuple[str, ...]:
    """The names of the packs.

    >>> list_starter_packs()
    ('suspicious-wmi-use',)
    """
    return tuple(sorted(p.parent.name for p in Path(__file__).parent.glob(f"*/{CONFIG}")))


def find_starter_pack(name: str) -> Path:
    """The folder of a pack.

    Raises:
        EscudoError: CON003 where there is none of that name.
    """
    if name not in list_starter_packs():
        known = ", ".join(list_starter_packs())
        raise EscudoError("CON003", f"no pack is named {name!r}", hint=f"known are {known}")
    return Path(__file__).parent / name


def names_pack(place: str) -> bool:
    """Whether a place, as a user gives it, is the name of a pack.

    >>> names_pack("pack:suspicious-wmi-use"), names_pack("content")
    (True, False)
    """
    return place.startswith(_PREFIX)


def resolve_pack(place: str) -> str:
    """A place as a user gives it: ``pack:NAME`` becomes the pack's folder, all else stays.

    >>> resolve_pack("content")
    'content'

    Raises:
        EscudoError: CON003.
    """
    return str(find_starter_pack(place.removeprefix(_PREFIX))) if names_pack(place) else place


def split_places(text: str) -> list[str]:
    """The places of a list as ``PATH`` has them; the colon of ``pack:NAME`` separates none.

    >>> split_places(os.pathsep.join(["content", "pack:wmi", "/srv/pack"]))
    ['content', 'pack:wmi', '/srv/pack']
    """
    places: list[str] = []
    for part in text.split(os.pathsep):
        if places and places[-1] + os.pathsep == _PREFIX and "/" not in part:
            places[-1] = _PREFIX + part
        else:
            places.append(part)
    return places
