"""Matches -> their rows as a hunt gives them, with stable names; called by who shows them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import pyarrow as pa

from escudo.actions.shown_rows import iterate_rows, show_value
from escudo.content import RiskConfig
from escudo.core.timerange import iso_utc
from escudo.detect import Match
from escudo.detect.row_times import find_own_times
from escudo.findings.attack import find_techniques
from escudo.findings.notable import rate_severity
from escudo.findings.risk import extract_risk_objects
from escudo.findings.tokens import fill_messages

_NOBODY = frozenset({"", "-", "null", "unknown"})
_HOST_FIELDS = ("dest", "host", "Computer", "ComputerName", "dvc")
_USER_FIELDS = ("user", "src_user", "User")
_ADDRESS = re.compile(r"[\d.]+|.*:.*")


class NamedRow(NamedTuple):
    """A result row as it is shown, the hosts and the users that it is about, its events."""

    shown: dict[str, Any]
    hosts: Sequence[str]
    users: Sequence[str]
    event_ids: Sequence[int]


def iterate_match(match: Match) -> Iterator[dict[str, Any]]:
    """One object a result row, as ``--format jsonl`` prints it. Field names are stable."""
    return (row.shown for row in iterate_named(match))


def iterate_named(match: Match) -> Iterator[NamedRow]:
    """The same rows with what each is about."""
    return chain.from_iterable(map(_iterate_part, match.cut()))


def _iterate_part(match: Match) -> Iterator[NamedRow]:
    detection, rows = match.detection, match.rows
    objects = _list_objects(match, detection.risk)
    times = list_times(match)
    messages = _list_messages(match, detection.risk)
    severity = rate_severity(detection)
    techniques, _ = find_techniques(detection.tags.mitre_attack_id)
    tactics = list(dict.fromkeys(tactic.name for t in techniques for tactic in t.tactics))
    score = detection.risk.score if detection.risk is not None else None
    files, event_ids = match.source_files.to_pylist(), match.event_ids.to_pylist()
    named = rows.schema.names
    host_fields = [field for field in _HOST_FIELDS if field in named]
    user_fields = [field for field in _USER_FIELDS if field in named]
    for i, row in enumerate(iterate_rows(rows)):
        hosts = _list_named(row, objects[i], kind="system", fields=host_fields)
        users = _list_named(row, objects[i], kind="user", fields=user_fields)
        shown = {
            "detection": detection.name,
            "detection_id": detection.id,
            "detection_type": detection.type,
            "detection_status": detection.status,
            "_time": times[i],
            "severity": severity,
            "host": show_value("host", hosts) if hosts else None,
            "user": show_value("user", users) if users else None,
            "risk_objects": objects[i],
            "risk_score": score,
            "message": messages[i],
            "mitre_attack_id": list(detection.tags.mitre_attack_id),
            "tactics": tactics,
            "analytic_story": list(detection.tags.analytic_story),
            "source_file": show_value("source_file", sorted(files[i])) if files[i] else None,
            "row": row,
        }
        yield NamedRow(shown, hosts, users, event_ids[i] or ())


def list_times(match: Match) -> list[str]:
    """When the events of each row were, else when the search ran; ISO-8601 UTC."""
    known = find_own_times(match) if match.times is None else match.times.to_pylist()
    return [iso_utc(match.now if time is None else time) for time in known]


def list_hosts(row: Mapping[str, Any], objects: Sequence[Mapping[str, Any]]) -> list[str]:
    """The hosts that a row is about: its risk objects that are systems, else the fields that name
    one. A correlation is about the objects whose risk it sums up.

    >>> list_hosts({"dest": "pc1", "src": "pc2"}, [{"type": "system", "value": "pc2"}])
    ['pc2']
    >>> list_hosts({"dest": "unknown", "Computer": ["pc1", "pc3"]}, [])
    ['pc1', 'pc3']
    """
    return _list_named(row, objects, kind="system", fields=_HOST_FIELDS)


def list_users(row: Mapping[str, Any], objects: Sequence[Mapping[str, Any]]) -> list[str]:
    """The users that a row is about; see ``list_hosts``."""
    return _list_named(row, objects, kind="user", fields=_USER_FIELDS)


def _list_named(
    row: Mapping[str, Any],
    objects: Sequence[Mapping[str, Any]],
    *,
    kind: str,
    fields: Sequence[str],
) -> list[str]:
    found = _leave_out_nobody(o["value"] for o in objects if o["type"] == kind)
    if not found and row.get("risk_object_type") == kind:
        about = row.get("risk_object") or row.get("normalized_risk_object")
        found = _leave_out_nobody(list_texts(about))
    for field in fields:
        found = found or _leave_out_nobody(list_texts(row.get(field)))
    return found


def _leave_out_nobody(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(name for name in names if name.lower() not in _NOBODY))


def cut_domain(host: str) -> str:
    """A host's name without its domain; an address whole.

    >>> cut_domain("PC1.example.org"), cut_domain("10.0.0.1")
    ('PC1', '10.0.0.1')
    """
    return host if _ADDRESS.fullmatch(host) else host.partition(".")[0]


def list_texts(value: object) -> list[str]:
    """The values of a field as text; a field without a value has none."""
    if value is None:
        return []
    return [str(v) for v in value if v is not None] if isinstance(value, list) else [str(value)]


def _list_objects(match: Match, config: RiskConfig | None) -> list[list[dict[str, Any]]]:
    out: list[list[dict[str, Any]]] = [[] for _ in range(match.rows.num_rows)]
    if config is None:
        return out
    for scored in extract_risk_objects(match.rows, config):
        for value, parent in zip(
            scored.values.to_pylist(), scored.parents.to_pylist(), strict=True
        ):
            out[parent].append(
                {
                    "field": scored.config.field,
                    "type": scored.config.type,
                    "value": value,
                    "score": scored.config.score,
                }
            )
    return out


def _list_messages(match: Match, config: RiskConfig | None) -> list[str | None]:
    count = match.rows.num_rows
    if config is None or not config.message or not count:
        return [None] * count
    filled: pa.Array = fill_messages(config.message, match.rows)
    return list(filled.to_pylist())
