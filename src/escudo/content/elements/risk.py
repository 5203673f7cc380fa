"""YAML of three generations -> the risk that a detection gives, one ``RiskConfig``.

- ``tags.observable`` with ``tags.message`` and ``tags.risk_score`` (ESCU up to 4),
- ``rba`` (ESCU 5),
- ``finding`` / ``intermediate_findings`` / ``threat_objects`` (ESCU 6).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from escudo.content.reading import Section
from escudo.core.errors import Severity

RISK_OBJECT_TYPES = ("user", "system", "other")

_OBSERVABLE_RISK_TYPES: Mapping[str, str] = {
    "device": "system",
    "endpoint": "system",
    "hostname": "system",
    "ip address": "system",
    "email address": "user",
    "user": "user",
    "user name": "user",
}
"""Type of a victim observable -> type of the risk object; every other one is ``other`` (contentctl
of October 2024, ``detection_abstract.py``)."""

_OBSERVABLE_THREAT_TYPES: Mapping[str, str] = {
    "process": "process",
    "process name": "process",
    "file": "file_name",
    "file name": "file_name",
    "file hash": "file_hash",
    "url string": "url",
    "url": "url",
    "ip address": "ip_address",
    "email address": "email_address",
}
"""Type of an attacker observable -> type of the threat object; others keep their own name."""

_HALF_TOKEN = re.compile(r"\$[A-Za-z_][\w.{}]*\b|\b[A-Za-z_][\w.{}]*\$")
_TOKEN = re.compile(r"\$[^$\s]+\$")


@dataclass(frozen=True)
class RiskObject:
    """A field whose values gain risk. ``message`` is its own message where it has one (ESCU 6)."""

    field: str
    type: str
    score: int
    message: str | None = None


@dataclass(frozen=True)
class ThreatObject:
    """A field whose values are evidence of the attacker (a process, an address)."""

    field: str
    type: str


@dataclass(frozen=True)
class RiskConfig:
    """What a detection's rows mean for the objects in them.

    ``finding_title`` and ``finding_entity`` are set by the newest format only.
    """

    message: str
    risk_objects: tuple[RiskObject, ...]
    threat_objects: tuple[ThreatObject, ...] = ()
    finding_title: str | None = None
    finding_entity: RiskObject | None = None

    @property
    def score(self) -> int:
        """The highest score of its risk objects; 0 without any."""
        return max((o.score for o in self.risk_objects), default=0)


@dataclass(frozen=True)
class Observable:
    """``tags.observable``: a field, what it holds, and its role (Victim, Attacker, ...)."""

    name: str
    type: str
    role: tuple[str, ...]


def read_observables(tags: Section) -> tuple[Observable, ...]:
    out = []
    for section in tags.sections("observable"):
        out.append(Observable(section.text("name"), section.text("type"), section.texts("role")))
        section.finish()
    return tuple(out)


def from_observables(message: str, score: int, observables: tuple[Observable, ...]) -> RiskConfig:
    """The risk of a detection in the oldest format.

    >>> from_observables("m", 49, (Observable("dest", "Hostname", ("Victim",)),)).risk_objects
    (RiskObject(field='dest', type='system', score=49, message=None),)
    """
    risk = []
    threats = []
    for observable in observables:
        kind = observable.type.strip().lower()
        roles = {role.strip().lower() for role in observable.role}
        if "victim" in roles:
            risk.append(
                RiskObject(observable.name, _OBSERVABLE_RISK_TYPES.get(kind, "other"), score)
            )
        if "attacker" in roles:
            threat_type = _OBSERVABLE_THREAT_TYPES.get(kind, kind.replace(" ", "_"))
            threats.append(ThreatObject(observable.name, threat_type))
    return RiskConfig(message, tuple(risk), tuple(threats))


def read_rba(rba: Section) -> RiskConfig:
    """The ``rba`` mapping: message, risk_objects, threat_objects."""
    message = rba.text("message")
    check_message(rba, "message", message)
    config = RiskConfig(
        message,
        tuple(_read_risk_object(s) for s in rba.sections("risk_objects")),
        _read_threat_objects(rba),
    )
    rba.finish()
    return config


def read_finding(detection: Section) -> RiskConfig:
    """``finding``, ``intermediate_findings.entities`` and ``threat_objects`` of a detection.

    The entity of the finding gains risk, too, where it has a score of its own. The message of that
    risk event is the finding's title, unless the entity has a message.
    """
    title = None
    entity = None
    finding = detection.section("finding")
    if finding is not None:
        title = finding.text("title")
        check_message(finding, "title", title)
        entities = finding.sections("entity") or finding.sections("entities")
        entity = _read_risk_object(entities[0]) if entities else None
        finding.finish()
    objects: list[RiskObject] = []
    intermediate = detection.section("intermediate_findings")
    message = ""
    if intermediate is not None:
        message = intermediate.text("message", "")
        objects += [_read_risk_object(s) for s in intermediate.sections("entities")]
        intermediate.finish()
    if entity is not None and entity.score and entity.field not in {o.field for o in objects}:
        objects.append(replace(entity, message=entity.message or title))
    message = message or next((o.message for o in objects if o.message), None) or title or ""
    return RiskConfig(message, tuple(objects), _read_threat_objects(detection), title, entity)


def _read_threat_objects(parent: Section) -> tuple[ThreatObject, ...]:
    out = []
    for section in parent.sections("threat_objects"):
        out.append(ThreatObject(section.text("field"), section.text("type")))
        section.finish()
    return tuple(out)


def _read_risk_object(section: Section) -> RiskObject:
    score = section.score("score")
    if score is None:
        score = section.score("risk_score")
    message = section.text("message", "") or None
    if message is not None:
        check_message(section, "message", message)
    risk_object = RiskObject(
        section.text("field"), section.choice("type", RISK_OBJECT_TYPES), score or 0, message
    )
    section.finish()
    return risk_object


def check_message(section: Section, key: str, message: str) -> None:
    """Warn of a token with one dollar sign only."""
    half = _HALF_TOKEN.search(_TOKEN.sub("", message))
    if half is not None:
        section.problem(
            "CON204",
            f"{half.group()!r} looks like a token without its second dollar sign",
            key,
            "it is filled in as if it were closed",
            Severity.WARNING,
        )
