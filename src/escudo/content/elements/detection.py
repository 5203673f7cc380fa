"""YAML -> a detection: a search, what its rows mean, and how to test it."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import date

from escudo.content.elements.common import Origin, Schedule, read_dates
from escudo.content.elements.deployment import read_schedule
from escudo.content.elements.drilldown import Drilldown, read_drilldowns
from escudo.content.elements.naming import name_filter, name_rule
from escudo.content.elements.risk import (
    RISK_OBJECT_TYPES,
    Observable,
    RiskConfig,
    check_message,
    from_observables,
    read_finding,
    read_observables,
    read_rba,
)
from escudo.content.reading import Section
from escudo.core.errors import Severity

TYPES = ("TTP", "Anomaly", "Hunting", "Correlation")
STATUSES = ("production", "experimental", "deprecated", "validation")

TECHNIQUE = re.compile(r"T\d{4}(\.\d{3})?")
CVE = re.compile(r"CVE-[12]\d{3}-\d+")
PERIOD = re.compile(r"[0-9]+[smh]")
_NAMESPACE = uuid.UUID("5c1fa2a5-5f0f-4f27-9d39-6c1a5e6e0b11")
_MODEL = re.compile(r"datamodel\s*=?\s*\"?([A-Za-z_]+)", re.IGNORECASE)


DEFAULT_LABEL = "Custom Splunk Content Pack"
"""The label of an app whose ``contentctl.yml`` names none (contentctl, ``CustomApp.label``)."""


@dataclass(frozen=True)
class AttackData:
    """A file of raw events for a test, and what to call them when they come in."""

    data: str
    source: str
    sourcetype: str
    host: str | None = None
    index: str | None = None
    update_timestamp: bool = False


@dataclass(frozen=True)
class ExpectedRisk:
    """A risk event that a test must give, ``count`` times."""

    risk_object: str
    risk_object_type: str
    risk_score: int
    risk_message: str
    count: int = 1


@dataclass(frozen=True)
class DetectionTest:
    """A unit test: these events must be found; with ``negative``, they must not be.

    ``rows`` and ``risk_events`` (Escudo's additions) say exactly what must come out, ``drilldowns``
    that each drilldown of the first row gives rows. ``kind`` is ``test_type`` of ESCU 6; an
    ``experimental`` test is not run, nor is one with ``manual_test``, a sentence that says why.
    """

    name: str
    attack_data: tuple[AttackData, ...]
    negative: bool = False
    rows: int | None = None
    risk_events: tuple[ExpectedRisk, ...] = ()
    kind: str = "unit"
    description: str = ""
    drilldowns: bool = False
    manual_test: str | None = None


@dataclass(frozen=True)
class Throttling:
    """At most one finding for the same values of ``fields`` within ``seconds``."""

    fields: tuple[str, ...]
    seconds: int


@dataclass(frozen=True, kw_only=True)
class Tags:
    analytic_story: tuple[str, ...] = ()
    asset_type: str = ""
    confidence: int | None = None
    impact: int | None = None
    message: str = ""
    mitre_attack_id: tuple[str, ...] = ()
    observable: tuple[Observable, ...] = ()
    product: tuple[str, ...] = ()
    required_fields: tuple[str, ...] = ()
    risk_score: int | None = None
    security_domain: str = ""
    cve: tuple[str, ...] = ()
    cis20: tuple[str, ...] = ()
    kill_chain_phases: tuple[str, ...] = ()
    nist: tuple[str, ...] = ()
    atomic_guid: tuple[str, ...] = ()
    manual_test: str | None = None
    throttling: Throttling | None = None


@dataclass(frozen=True, kw_only=True)
class Detection:
    """One detection, as its YAML has it; ``risk`` is the same for all formats.

    ``schedule`` is None unless the YAML or an overlay gives one (the deployment of the type
    applies then). ``risk`` is None where the detection has no risk object.
    """

    name: str
    id: str
    version: int
    created: date | None
    date: date | None
    """When it was last changed."""
    author: str
    status: str
    type: str
    description: str
    data_source: tuple[str, ...]
    search: str
    how_to_implement: str
    known_false_positives: str
    references: tuple[str, ...]
    drilldowns: tuple[Drilldown, ...]
    tags: Tags
    risk: RiskConfig | None
    tests: tuple[DetectionTest, ...]
    origin: Origin
    label: str = DEFAULT_LABEL
    """The label of the app that its content is built into."""
    saved_search: str = ""
    """The name that its saved search has in a Splunk app; without one, contentctl's naming."""
    enabled: bool = True
    schedule: Schedule | None = None
    baselines: tuple[str, ...] = ()
    """The baselines that it names (ESCU 6); those of earlier formats name their detections."""
    category: str = ""

    @property
    def search_name(self) -> str:
        """The name of its saved search in Splunk ES, which risk events and findings carry."""
        return self.saved_search or name_rule(self.label, self.name)

    @property
    def filter_macro(self) -> str:
        """The macro at the end of its search, for local exclusions."""
        return name_filter(self.name)

    @property
    def data_models(self) -> tuple[str, ...]:
        """The data models that its search names."""
        return tuple(dict.fromkeys(_MODEL.findall(self.search)))


def read_detection(section: Section, origin: Origin, label: str) -> Detection:
    """A detection from its YAML; problems are noted in the section's file."""
    name = section.text("name")
    kind = section.choice("type", TYPES)
    search = section.text("search")
    tags_section = section.section("tags") or section
    tags = _read_tags(tags_section, section)
    identity = section.text("id", "").strip()
    if not identity:
        identity = str(uuid.uuid5(_NAMESPACE, name))
        section.problem(
            "CON103",
            "id is missing",
            None,
            f"add `id: {identity}`; it is derived from the name until then",
            Severity.WARNING,
        )
    changed, created = read_dates(section)
    detection = Detection(
        name=name.strip(),
        id=identity,
        version=section.integer("version", 1),
        date=changed,
        created=created,
        author=section.text("author", ""),
        status=section.choice("status", STATUSES, "production"),
        type=kind,
        description=section.text("description", "").strip(),
        data_source=section.texts("data_source"),
        search=search.strip(),
        how_to_implement=section.text("how_to_implement", "").strip(),
        known_false_positives=section.text("known_false_positives", "").strip(),
        references=section.texts("references"),
        drilldowns=read_drilldowns(section),
        tags=tags,
        risk=_read_risk(section, tags),
        tests=_read_tests(section),
        origin=origin,
        label=label,
        enabled=section.boolean("enabled_by_default", True),
        schedule=read_schedule(section),
        baselines=section.texts("baselines"),
        category=section.text("category", ""),
    )
    section.ignore("datamodel", "deployment", "deprecation_info", "schema_version", "migrated")
    section.finish()
    return detection


def _read_risk(section: Section, tags: Tags) -> RiskConfig | None:
    rba = section.section("rba")
    if rba is not None:
        return read_rba(rba)
    if section.has("finding") or section.has("intermediate_findings"):
        return read_finding(section)
    if not tags.observable:
        return None
    if tags.risk_score is not None:
        score = tags.risk_score
    else:
        score = (tags.impact or 0) * (tags.confidence or 0) // 100
    return from_observables(tags.message, score, tags.observable)


def _read_tags(tags: Section, detection: Section) -> Tags:
    impact, confidence = tags.whole("impact"), tags.whole("confidence")
    score = tags.score("risk_score")
    if impact is not None and confidence is not None and score is not None:
        expected = impact * confidence // 100
        if score != expected:
            tags.problem(
                "CON203",
                f"risk_score is {score}, but impact {impact} * confidence {confidence} / 100"
                f" is {expected}",
                "risk_score",
                severity=Severity.WARNING,
            )
    techniques = tags.texts("mitre_attack_id") or detection.texts("mitre_attack_id")
    for technique in techniques:
        if not TECHNIQUE.fullmatch(technique):
            tags.problem(
                "CON104",
                f"{technique!r} is not an ATT&CK technique id",
                "mitre_attack_id",
                "ids look like T1047 or T1059.001",
                Severity.WARNING,
            )
    message = tags.text("message", "")
    if message:
        check_message(tags, "message", message)
    tags_read = Tags(
        analytic_story=tags.texts("analytic_story") or detection.texts("analytic_story"),
        asset_type=tags.text("asset_type", ""),
        confidence=confidence,
        impact=impact,
        message=message,
        mitre_attack_id=techniques,
        observable=read_observables(tags),
        product=tags.texts("product"),
        required_fields=tags.texts("required_fields"),
        risk_score=score,
        security_domain=tags.text("security_domain", ""),
        cve=tags.texts("cve"),
        cis20=tags.texts("cis20"),
        kill_chain_phases=tags.texts("kill_chain_phases"),
        nist=tags.texts("nist"),
        atomic_guid=tags.texts("atomic_guid"),
        manual_test=tags.text("manual_test", "") or None,
        throttling=read_throttling(tags),
    )
    tags.ignore("automated_detection_testing", "context", "dataset", "group", "supported_tas")
    if tags is not detection:
        tags.finish()
    return tags_read


def read_throttling(tags: Section) -> Throttling | None:
    """``throttling``: fields and a period such as 24h."""
    section = tags.section("throttling")
    if section is None:
        return None
    fields, period = section.texts("fields"), section.text("period").strip()
    section.finish()
    if not PERIOD.fullmatch(period):
        section.problem(
            "CON104", f"period {period!r} must be a number with s, m or h", "period", "such as 24h"
        )
        return None
    return Throttling(fields, int(period[:-1]) * {"s": 1, "m": 60, "h": 3600}[period[-1]])


def _read_tests(detection: Section) -> tuple[DetectionTest, ...]:
    out = []
    for section in detection.sections("tests"):
        data = []
        for item in section.sections("attack_data"):
            data.append(
                AttackData(
                    item.text("data"),
                    item.text("source", ""),
                    item.text("sourcetype", ""),
                    item.text("host", "") or item.text("custom_host", "") or None,
                    item.text("index", "") or item.text("custom_index", "") or None,
                    item.boolean("update_timestamp", False, Severity.WARNING),
                )
            )
            item.finish()
        negative = section.boolean("negative", False)
        section.ignore("baselines", "pass_condition", "file", "earliest_time")
        section.ignore("latest_time")
        manual = section.text("manual_test", "").strip()
        out.append(
            DetectionTest(
                section.text("name"),
                tuple(data),
                negative,
                section.whole("rows"),
                _read_expected(section),
                section.text("test_type", "").strip().lower() or "unit",
                section.text("description", "").strip(),
                section.boolean("drilldowns", False),
                manual if manual.lower() not in ("", "none", "null") else None,
            )
        )
        section.finish()
    return tuple(out)


def _read_expected(test: Section) -> tuple[ExpectedRisk, ...]:
    out = []
    for item in test.sections("risk_events"):
        out.append(
            ExpectedRisk(
                item.text("risk_object"),
                item.choice("risk_object_type", RISK_OBJECT_TYPES),
                item.score("risk_score") or 0,
                item.text("risk_message"),
                item.integer("count", 1),
            )
        )
        item.finish()
    return tuple(out)
