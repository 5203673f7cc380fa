"""Checks of a detection: its filter macro, what it refers to, ATT&CK, CVE, throttling."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from escudo.content.checks.element import FINDINGS, RBA, Check, Element, Found, Known
from escudo.content.checks.element_checks import is_uuid
from escudo.content.checks.value import Value
from escudo.content.elements.data_source import split_names
from escudo.content.elements.detection import CVE, PERIOD, TECHNIQUE, TYPES
from escudo.content.elements.naming import name_filter
from escudo.core.errors import Severity

_COMMENT = re.compile(r"```.*?```", re.DOTALL)
SCHEDULED_TYPES = ("TTP", "Anomaly", "Correlation")
"""Types of detections that may be on by default: those whose rows become risk or findings."""


def find_wrong_filter(element: Element, known: Known) -> Iterator[Found]:
    search = element.root.get("search")
    if not search.text or not element.name:
        return
    macro = f"`{name_filter(element.name)}`"
    text = _COMMENT.sub(" ", search.text).rstrip()
    if macro not in text:
        named = re.findall(r"`\s*([\w:.-]+_filter)\s*`", text)
        hint = f"the search has `{named[-1]}`" if named else f"end the search with | {macro}"
        yield Found(search, f"the search does not have its filter macro {macro}", hint)
    elif not text.endswith(macro):
        yield Found(
            search,
            f"the filter macro {macro} is not at the end of the search",
            "what comes after it is not filtered",
            Severity.WARNING,
        )


def find_unknown_sources(element: Element, known: Known) -> Iterator[Found]:
    for value in element.root.get("data_source").members:
        for name in split_names(value.text):
            if name not in known.names["data source"]:
                yield _unknown(value, "data source", name, known)


def find_unknown_stories(element: Element, known: Known) -> Iterator[Found]:
    stories = element.tags.get("analytic_story")
    if element.kind == "detection" and not stories.present:
        yield Found(stories, "analytic_story is missing", "name the stories that it is a part of")
    seen: set[str] = set()
    for value in stories.members:
        if value.text in seen:
            yield Found(value, f"story {value.text!r} is named twice")
        elif value.text not in known.names["story"]:
            yield _unknown(value, "story", value.text, known)
        seen.add(value.text)


def find_unknown_baselines(element: Element, known: Known) -> Iterator[Found]:
    for value in element.root.get("baselines").members:
        if value.text not in known.names["baseline"]:
            yield _unknown(value, "baseline", value.text, known)


def find_unknown_detections(element: Element, known: Known) -> Iterator[Found]:
    for value in element.tags.get("detections").members:
        if value.text not in known.names["detection"]:
            yield _unknown(value, "detection", value.text, known)


def _unknown(place: Value, kind: str, name: str, known: Known) -> Found:
    names = known.names[kind]
    near = difflib.get_close_matches(name, names, 1, 0.75)
    hint = f"did you mean {near[0]!r}?" if near else "add its file, or take the name out"
    return Found(place, f"there is no {kind} {name!r}", hint)


def find_malformed_techniques(element: Element, known: Known) -> Iterator[Found]:
    for value in element.tags.get("mitre_attack_id").members:
        if not TECHNIQUE.fullmatch(value.text):
            yield Found(
                value, f"{value.text!r} is not an ATT&CK technique id", "ids look like T1047"
            )


def find_unknown_techniques(element: Element, known: Known) -> Iterator[Found]:
    attack = known.attack
    for value in element.tags.get("mitre_attack_id").members:
        identity = value.text
        if identity in attack.retired:
            better = attack.retired[identity]
            hint = f"it was replaced by {better}" if better else "see attack.mitre.org"
            yield Found(value, f"{attack.origin} has withdrawn {identity}", hint)
        elif TECHNIQUE.fullmatch(identity) and identity not in attack.techniques:
            yield Found(
                value,
                f"{attack.origin} has no technique {identity}",
                None if attack.complete else "give a newer one: --attack enterprise-attack.json",
                None if attack.complete else Severity.WARNING,
            )


def find_covered_techniques(element: Element, known: Known) -> Iterator[Found]:
    members = element.tags.get("mitre_attack_id").members
    parents = {m.text.partition(".")[0]: m.text for m in members if "." in m.text}
    for value in members:
        if value.text in parents:
            yield Found(
                value,
                f"technique {value.text} stands beside its own sub-technique {parents[value.text]}",
                "keep the sub-technique",
            )


def find_wrong_cves(element: Element, known: Known) -> Iterator[Found]:
    for value in element.tags.get("cve").members:
        if not CVE.fullmatch(value.text):
            yield Found(value, f"{value.text!r} is not a CVE id", "ids look like CVE-2021-44228")


def find_wrong_atomics(element: Element, known: Known) -> Iterator[Found]:
    for value in element.tags.get("atomic_guid").members:
        if not is_uuid(value.text):
            yield Found(
                value,
                f"atomic_guid {value.text!r} is not a UUID",
                "it is the auto_generated_guid of the test in Atomic Red Team",
            )


def find_wrong_throttling(element: Element, known: Known) -> Iterator[Found]:
    throttling = element.tags.get("throttling")
    if not throttling.present:
        return
    period, fields = throttling.get("period"), throttling.get("fields")
    if not PERIOD.fullmatch(period.text):
        yield Found(period, f"throttling period {period.text!r} is malformed", "such as 24h or 30m")
    if not fields.texts:
        yield Found(fields, "throttling has no fields", "name the fields of a row that are one")
    for value in fields.members:
        if " " in value.text:
            message = f"throttling field {value.text!r} has a space"
            yield Found(
                value, message, "rename the field in the search: Splunk cannot have it here"
            )


def find_early_switch(element: Element, known: Known) -> Iterator[Found]:
    value = element.root.get("enabled_by_default")
    if value.text.lower() not in ("true", "yes", "on"):
        return
    if not element.in_production:
        yield Found(value, f"a detection that is {element.status} is not enabled by default")
    kind = element.root.get("type").text
    if kind not in SCHEDULED_TYPES:
        message = f"a detection of type {kind} is not enabled by default"
        yield Found(value, message, f"only {', '.join(SCHEDULED_TYPES)} are")


def find_wrong_deployment(element: Element, known: Known) -> Iterator[Found]:
    if element.root.has("deployment"):
        return
    kind = element.root.get("type")
    deployments = list_deployments(known, kind.text)
    if known.deployments and not deployments and kind.text in TYPES:
        yield Found(kind, f"no deployment is for the type {kind.text}", "add one to deployments/")


def find_second_deployment(element: Element, known: Known) -> Iterator[Found]:
    kind = element.root.get("type")
    same = list_deployments(known, kind.text)
    if len(same) > 1 and same[0] is not element and kind.text:
        yield Found(
            kind,
            f"there is another deployment for the type {kind.text}: {same[0].name!r}",
            f"each type has exactly one; the other is in {same[0].file.path}",
        )


def list_deployments(known: Known, kind: str) -> list[Element]:
    """The deployments for a type, as the files say it at the top or in their tags."""
    return [
        e for e in known.deployments if kind in (e.root.get("type").text, e.tags.get("type").text)
    ]


CHECKS = (
    Check("CON421", find_wrong_filter),
    Check("CON422", find_unknown_sources),
    Check("CON423", find_unknown_stories),
    Check("CON424", find_unknown_baselines, since=FINDINGS),
    Check("CON425", find_wrong_deployment),
    Check("CON426", find_malformed_techniques),
    Check("CON427", find_unknown_techniques),
    Check("CON428", find_covered_techniques, since=RBA),
    Check("CON429", find_wrong_cves),
    Check("CON430", find_wrong_atomics),
    Check("CON431", find_wrong_throttling, contract=False),
    Check("CON432", find_early_switch),
)
BASELINE_CHECKS = (
    Check("CON423", find_unknown_stories),
    Check("CON424", find_unknown_detections, Severity.WARNING),
)
STORY_CHECKS = (Check("CON429", find_wrong_cves),)
DEPLOYMENT_CHECKS = (Check("CON425", find_second_deployment),)
