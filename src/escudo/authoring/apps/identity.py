"""``contentctl.yml`` and options -> what an app is called; ``package``, the action and new
repositories ask."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from escudo.authoring.yaml_text import read_values
from escudo.content.elements.detection import DEFAULT_LABEL
from escudo.content.roots import CONFIG, find_root
from escudo.core.errors import EscudoError

_APP_ID = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*(?<!\.)")
_VERSION = re.compile(r"\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?")
_RESERVED = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
)
"""Names that no folder can have on Windows (Admin Manual, app.conf, ``[package] id``)."""

_DEFAULTS: Mapping[str, str] = {
    "title": "Content Pack",
    "appid": "ContentPack",
    "version": "0.0.1",
    "label": DEFAULT_LABEL,
    "description": "Detections.",
    "author_name": "unknown",
    "author_email": "unknown@example.org",
    "author_company": "unknown",
}
"""What is not said; names, id, version and label as contentctl's ``CustomApp``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppIdentity:
    """How an app is called; the fields are those of ``app`` in ``contentctl.yml``."""

    title: str
    appid: str
    version: str
    label: str
    description: str
    author_name: str
    author_email: str
    author_company: str


def read_identity(path: Path, given: Mapping[str, str]) -> AppIdentity:
    """The identity that a repository's ``contentctl.yml`` says, with what is given over it.

    Raises:
        EscudoError: AUT012 for a value that an app cannot have.
    """
    said = read_values(find_root(path) / CONFIG).get("app")
    app = said if isinstance(said, dict) else {}
    values = {key: str(given.get(key) or app.get(key) or _DEFAULTS[key]) for key in _DEFAULTS}
    identity = AppIdentity(**values)
    check_identity(identity)
    return identity


def is_appid(text: str) -> bool:
    """Whether the folder of an app can have a name.

    >>> is_appid("acme_detections"), is_appid("2024"), is_appid("con"), is_appid("a/b")
    (True, False, False, False)
    """
    return _APP_ID.fullmatch(text) is not None and text.lower() not in _RESERVED


def check_identity(identity: AppIdentity) -> None:
    """That an app can be called so.

    Raises:
        EscudoError: AUT012.
    """
    for key, value in asdict(identity).items():
        if not value.strip():
            raise EscudoError("AUT012", f"app.{key} is empty")
        if not value.isprintable() or (key == "label" and re.search(r"[\[\]]", value)):
            raise EscudoError("AUT012", f"app.{key} {value!r} has characters that no app can have")
    if not is_appid(identity.appid):
        raise EscudoError(
            "AUT012",
            f"app.appid {identity.appid!r} cannot be the name of an app's folder",
            hint="use letters, digits, _ and -, with a letter first",
        )
    if not _VERSION.fullmatch(identity.version):
        raise EscudoError(
            "AUT012", f"app.version {identity.version!r}", hint="three numbers, such as 1.0.0"
        )
