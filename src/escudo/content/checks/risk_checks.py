"""Checks of the risk of a detection: that it is there where its type has risk, its objects, scores,
types."""

from __future__ import annotations

from collections.abc import Iterator

from escudo.content.checks.detection_checks import list_deployments
from escudo.content.checks.element import FINDINGS, OBSERVABLES, RBA, Check, Element, Found, Known
from escudo.content.checks.value import Value
from escudo.content.checks.word_checks import find_unknown_word
from escudo.content.checks.words import THREAT_OBJECT_TYPES
from escudo.content.elements.risk import RISK_OBJECT_TYPES
from escudo.content.reading import read_whole

_WITH_RISK = ("TTP", "Anomaly")
"""Types whose deployment has risk, where the content has no deployment for them."""


def has_risk(element: Element, known: Known) -> bool:
    """Whether rows of a detection become risk events, by its own deployment or its type's."""
    own = element.root.get("deployment")
    if own.present:
        return _gives_risk(own)
    kind = element.root.get("type").text
    deployment = next(iter(list_deployments(known, kind)), None)
    return kind in _WITH_RISK if deployment is None else _gives_risk(deployment.root)


def _gives_risk(deployment: Value) -> bool:
    return deployment.get("alert_action").get("rba").get("enabled").text.lower() == "true"


def find_misplaced_risk(element: Element, known: Known) -> Iterator[Found]:
    kind = element.root.get("type")
    if element.format == FINDINGS:
        yield from _find_misplaced_finding(element, kind)
        return
    rba = element.root.get("rba")
    if has_risk(element, known):
        if not rba.present:
            yield Found(
                kind, f"a {kind.text} has risk, but there is no rba", "add message, objects"
            )
        elif not rba.get("risk_objects").members:
            yield Found(rba, "rba has no risk object", "name a field whose values gain risk")
    elif rba.present:
        yield Found(rba, f"a {kind.text} has no risk: rba has no effect", "take it out")


def _find_misplaced_finding(element: Element, kind: Value) -> Iterator[Found]:
    root = element.root
    finding, intermediate = root.get("finding"), root.get("intermediate_findings")
    if kind.text == "TTP" and not (finding.present or intermediate.present):
        yield Found(kind, "a TTP has a finding, but there is none", "add finding: title, entity")
    elif kind.text == "Anomaly" and not (intermediate.present or finding.present):
        message = "an Anomaly has intermediate findings, but there are none"
        yield Found(kind, message, "add intermediate_findings: entities")
    elif kind.text == "Hunting":
        for value in (finding, intermediate):
            if value.present:
                yield Found(value, "a Hunting detection has no findings: this has no effect")
    if finding.present and not finding.get("entity").present:
        yield Found(finding, "the finding has no entity", "name the field that it is about")
    if intermediate.present and not intermediate.get("entities").members:
        yield Found(intermediate, "there is no entity", "name a field whose values gain risk")


def list_risk_objects(element: Element) -> Iterator[Value]:
    """The risk objects of a detection, whichever its format."""
    root = element.root
    yield from root.get("rba").get("risk_objects").members
    yield from root.get("finding").get("entity").members
    yield from root.get("intermediate_findings").get("entities").members


def list_threat_objects(element: Element) -> Iterator[Value]:
    yield from element.root.get("rba").get("threat_objects").members
    if element.format == FINDINGS:
        yield from element.root.get("threat_objects").members


def find_wrong_objects(element: Element, known: Known) -> Iterator[Found]:
    for value in list_risk_objects(element):
        yield from _find_no_field(value)
        yield from find_unknown_word("risk object type", value.get("type"), RISK_OBJECT_TYPES)
    for value in list_threat_objects(element):
        yield from _find_no_field(value)
        yield from find_unknown_word("threat object type", value.get("type"), THREAT_OBJECT_TYPES)


def _find_no_field(value: Value) -> Iterator[Found]:
    if not value.get("field").text:
        yield Found(value, "field is missing", "name a field of the search's rows")


def find_wrong_scores(element: Element, known: Known) -> Iterator[Found]:
    least = 0 if element.format == FINDINGS else 1  # a finding's entity may only be named (ESCU 6)
    for value in list_risk_objects(element):
        score = value.get("score")
        if not is_number(score.text, least, 100):
            yield Found(score, f"risk score {score.text!r} is not a whole number of {least} to 100")
    if element.format == OBSERVABLES:
        for key in ("risk_score", "confidence", "impact"):
            value = element.tags.get(key)
            if value.present and not is_number(value.text, 0, 100):
                yield Found(value, f"{key} {value.text!r} is not a whole number of 0 to 100")


def is_number(text: str, least: int, most: int) -> bool:
    """Whether a text is a whole number of a range; ``25.0`` is one.

    >>> is_number("25.0", 1, 100), is_number("2.5", 1, 100), is_number("101", 1, 100)
    (True, False, False)
    """
    number = read_whole(text)
    return number is not None and least <= number <= most


def find_missing_message(element: Element, known: Known) -> Iterator[Found]:
    rba = element.root.get("rba")
    if rba.present and not rba.get("message").text:
        yield Found(rba.get("message"), "rba has no message", "say what was seen: ... on $dest$")
    finding = element.root.get("finding")
    if finding.present and not finding.get("title").text:
        yield Found(finding.get("title"), "the finding has no title", "say what was seen on $dest$")


CHECKS = (
    Check("CON440", find_misplaced_risk, since=RBA),
    Check("CON441", find_wrong_objects, since=RBA, contract=False),
    Check("CON442", find_wrong_scores, contract=False),
    Check("CON443", find_missing_message, since=RBA, contract=False),
)
