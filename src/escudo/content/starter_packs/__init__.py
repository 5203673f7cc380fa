"""The name of a pack -> its folder: content that comes with Escudo and is used where it is asked
for. Each pack is laid out as a content repository of its own."""

from __future__ import annotations

from pathlib import Path

from escudo.core.errors import EscudoError

_PREFIX = "pack:"
_CONFIG = "contentctl.yml"


def list_packs() -> tuple[str, ...]:
    """The names of the packs.

    >>> list_packs()
    ('suspicious-wmi-use',)
    """
    return tuple(sorted(p.parent.name for p in Path(__file__).parent.glob(f"*/{_CONFIG}")))


def find_pack(name: str) -> Path:
    """The folder of a pack.

    Raises:
        EscudoError: CON003 where there is none of that name.
    """
    if name not in list_packs():
        known = ", ".join(list_packs())
        raise EscudoError("CON003", f"no pack is named {name!r}", hint=f"known are {known}")
    return Path(__file__).parent / name


def resolve_pack(place: str) -> str:
    """A place as a user gives it: ``pack:NAME`` becomes the pack's folder, all else stays.

    >>> resolve_pack("content")
    'content'

    Raises:
        EscudoError: CON003.
    """
    return str(find_pack(place.removeprefix(_PREFIX))) if place.startswith(_PREFIX) else place
