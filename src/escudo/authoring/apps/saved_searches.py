"""Detections, baselines, investigations -> stanzas of savedsearches.conf; ``package`` calls it.

The keys are those that contentctl 5.6.2 writes (``savedsearches_*.j2``), which Enterprise Security
reads; sentences are Escudo's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeAlias

from escudo.authoring.apps.conf_text import Stanza, write_json, write_truth
from escudo.authoring.yaml_text import read_values
from escudo.content import Baseline, Content, Deployment, Detection, Investigation, Schedule
from escudo.content.elements.naming import name_rule
from escudo.core.errors import EscudoError
from escudo.findings.annotations import annotate
from escudo.findings.notable import build_title, rate_severity
from escudo.findings.tokens import ORIGINAL_SEARCH

ABSENT = "This search was removed in an earlier release, or is not there."
_FRAMEWORKS = ("cis20", "kill_chain_phases", "mitre_attack", "nist")
_HOUR, _MINUTE = 3600, 60
_PLACEHOLDER = {"risk_object_field": "N/A", "risk_object_type": "N/A", "risk_score": 0}
"""Entity of a finding that gives no risk of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchNaming:
    """How the saved searches of an app are called."""

    label: str

    def rule(self, detection: Detection) -> str:
        return detection.saved_search or name_rule(self.label, detection.name)

    def baseline(self, baseline: Baseline) -> str:
        return f"{self.label} - {baseline.name}"

    def task(self, investigation: Investigation) -> str:
        return f"{self.label} - {investigation.name} - Response Task"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchWriter:
    """Writes searches of some content; ``enabled``: detections run once the app is installed."""

    content: Content
    naming: SearchNaming
    enabled: bool = False

    def default(self) -> Stanza:
        """What is true of a stanza that a user's ``local`` has and the app has no longer."""
        search = f'| makeresults | eval text="{ABSENT}"'
        return "default", {"disabled": "1", "description": ABSENT, "search": search}

    def detection(self, detection: Detection) -> Stanza:
        """A detection's stanza.

        Raises:
            EscudoError: AUT011 where its type has no deployment.
        """
        deployment = self.content.deployments.get(detection.type)
        if deployment is None:
            raise EscudoError("AUT011", f"no deployment is for the type {detection.type}")
        name = self.naming.rule(detection)
        settings = {
            "action.escu": "0",
            "action.escu.enabled": "1",
            "description": _say(detection),
            **_describe(detection),
            **_risk(detection, deployment),
            **_schedule(detection.schedule or deployment.schedule),
            **_correlation(detection, name),
            **_finding(detection, deployment),
            "alert.digest_mode": "1",
            "disabled": write_truth(not self._runs(detection)),
            "enableSched": "1",
            "allow_skew": "100%",
            "counttype": "number of events",
            "relation": "greater than",
            "quantity": "0",
            "realtime_schedule": "0",
            "is_visible": "false",
            **_throttling(detection),
            "search": detection.search,
            "action.notable.param.drilldown_searches": write_json(list(_drilldowns(detection))),
        }
        return name, settings

    def _runs(self, detection: Detection) -> bool:
        """Whether it is switched on; as with contentctl, one that does not say so is not."""
        said = read_values(_path(detection)).get("enabled_by_default")
        return detection.enabled and (self.enabled or str(said).lower() == "true")

    def baseline(self, baseline: Baseline) -> Stanza:
        deployment = self.content.deployments.get("Baseline")
        schedule = baseline.schedule or (deployment.schedule if deployment is not None else None)
        own = {**(_schedule(schedule) if schedule is not None else {}), "enableSched": "1"}
        name = self.naming.baseline(baseline)
        return name, _support(baseline, name, "support", own)

    def investigation(self, investigation: Investigation) -> Stanza:
        own = {
            "action.escu.earliest_time_offset": "3600",
            "action.escu.latest_time_offset": "86400",
            "schedule_window": "auto",
        }
        name = self.naming.task(investigation)
        return name, _support(investigation, name, "investigative", own)


_Element: TypeAlias = Detection | Baseline | Investigation
_WARNINGS: Mapping[str, str] = {
    "deprecated": "DEPRECATED, no longer maintained: ",
    "experimental": "EXPERIMENTAL, not tested with attack data: ",
}


def _path(detection: Detection) -> Path:
    return Path(detection.origin.file)


def _say(element: _Element) -> str:
    return _WARNINGS.get(element.status, "") + (element.description or element.name)


def _day(element: _Element) -> date:
    return element.date or date(1970, 1, 1)


def _dates(element: _Element) -> dict[str, str]:
    changed = _day(element)
    return {
        "action.escu.creation_date": (element.created or changed).isoformat(),
        "action.escu.modification_date": changed.isoformat(),
    }


def _metadata(element: _Element) -> str:
    day = _day(element)
    published = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
    return write_json(
        {
            "detection_id": element.id,
            "detection_version": str(element.version),
            "deprecated": "1" if element.status == "deprecated" else "0",
            "publish_time": published,
            "status": element.status,
        }
    )


def _support(
    element: Baseline | Investigation, name: str, search_type: str, own: Mapping[str, str]
) -> dict[str, str]:
    """The settings of a search that supports detections, with those of its type."""
    return {
        "action.escu": "0",
        "action.escu.enabled": "1",
        "action.escu.search_type": search_type,
        "action.escu.full_search_name": name,
        "description": _say(element),
        **_dates(element),
        "action.escu.analytic_story": write_json(list(element.analytic_story)),
        **own,
        "action.escu.providing_technologies": "[]",
        "action.escu.eli5": element.description,
        "action.escu.how_to_implement": element.how_to_implement or "none",
        "action.escu.known_false_positives": element.known_false_positives or "none",
        "action.correlationsearch.metadata": _metadata(element),
        "disabled": "true",
        "is_visible": "false",
        "search": element.search,
    }


def list_mappings(detection: Detection) -> dict[str, list[str]]:
    """Its annotations by framework, of those that a mapping is shown of."""
    notes = annotate(detection).values
    return {name: list(notes[name]) for name in _FRAMEWORKS if name in notes}


def _describe(detection: Detection) -> dict[str, str]:
    tags = detection.tags
    settings = {
        "action.escu.mappings": write_json(list_mappings(detection)),
        "action.escu.data_models": write_json(list(detection.data_models)),
        "action.escu.eli5": detection.description or detection.name,
        "action.escu.how_to_implement": detection.how_to_implement or "none",
        "action.escu.known_false_positives": detection.known_false_positives or "none",
        **_dates(detection),
        "action.escu.confidence": "high",
        "action.escu.search_type": "detection",
        "action.escu.product": write_json(list(tags.product)),
    }
    if tags.atomic_guid:
        settings["action.escu.atomic_red_team_guids"] = write_json(list(tags.atomic_guid))
    settings["action.escu.providing_technologies"] = "null"
    settings["action.escu.analytic_story"] = write_json(list(tags.analytic_story))
    return settings


def _risk(detection: Detection, deployment: Deployment) -> dict[str, str]:
    """Its risk objects; the message of one that has its own stands beside it."""
    risk = detection.risk
    if risk is None or not deployment.risk:
        return {}
    entries: list[dict[str, object]] = []
    for item in risk.risk_objects:
        entry: dict[str, object] = {
            "risk_object_field": item.field,
            "risk_object_type": item.type,
            "risk_score": item.score,
        }
        if item.message and item.message != risk.message:
            entry["risk_message"] = item.message
        entries.append(entry)
    entries += [
        {"threat_object_field": t.field, "threat_object_type": t.type} for t in risk.threat_objects
    ]
    return {
        "action.risk": "1",
        "action.risk.param._risk_message": risk.message,
        "action.risk.param._risk": write_json(entries),
        "action.risk.param._risk_score": "0",
        "action.risk.param.verbose": "0",
    }


def _schedule(schedule: Schedule) -> dict[str, str]:
    return {
        "cron_schedule": schedule.cron,
        "dispatch.earliest_time": schedule.earliest,
        "dispatch.latest_time": schedule.latest,
        "schedule_window": schedule.window,
    }


def _correlation(detection: Detection, name: str) -> dict[str, str]:
    notes: dict[str, Sequence[str] | str] = {
        key: list(values) for key, values in annotate(detection).values.items()
    }
    notes.update(
        type=detection.type,
        type_list=[detection.type],
        analytic_story=list(detection.tags.analytic_story),
        data_source=list(detection.data_source),
    )
    label = name
    if detection.status == "deprecated":
        label = name.replace(" - ", " - Deprecated - ", 1)
    return {
        "action.correlationsearch.enabled": "1",
        "action.correlationsearch.detection_type": "ebd",
        "action.correlationsearch.label": label,
        "action.correlationsearch.annotations": write_json(notes),
        "action.correlationsearch.metadata": _metadata(detection),
    }


def _finding(detection: Detection, deployment: Deployment) -> dict[str, str]:
    notable = deployment.notable
    if notable is None:
        return {}
    described = notable.rule_description.replace("%name%", detection.name)
    return {
        "action.notable": "1",
        "action.notable.param._entities": write_json([_PLACEHOLDER]),
        "action.notable.param.nes_fields": ",".join(notable.nes_fields),
        "action.notable.param.rule_description": described.replace(
            "%description%", detection.description
        ),
        "action.notable.param.rule_title": build_title(detection, notable.rule_title),
        "action.notable.param.security_domain": detection.tags.security_domain,
        "action.notable.param.severity": rate_severity(detection),
    }


def _throttling(detection: Detection) -> dict[str, str]:
    throttling = detection.tags.throttling
    if throttling is None:
        return {}
    seconds = throttling.seconds
    period = f"{seconds}s"
    if seconds % _HOUR == 0:
        period = f"{seconds // _HOUR}h"
    elif seconds % _MINUTE == 0:
        period = f"{seconds // _MINUTE}m"
    return {
        "alert.suppress": "true",
        "alert.suppress.fields": ",".join(throttling.fields),
        "alert.suppress.period": period,
    }


def _drilldowns(detection: Detection) -> Iterator[dict[str, str]]:
    for drilldown in detection.drilldowns:
        yield {
            "name": drilldown.name,
            "search": drilldown.search.replace(ORIGINAL_SEARCH, detection.search),
            "earliest_offset": drilldown.earliest_offset,
            "latest_offset": drilldown.latest_offset,
        }
