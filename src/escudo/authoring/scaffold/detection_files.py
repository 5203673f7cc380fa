"""The answers of a new detection -> its file and that of its filter macro, in the form of ESCU 5;
``element_files`` and repositories call it.

Keys and their order are those that contentctl 5.6.2 validates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from escudo.authoring.naming import check_name
from escudo.authoring.scaffold.answers import (
    Answers,
    check_choice,
    check_field,
    read_cves,
    read_texts,
    read_urls,
    say_how,
)
from escudo.authoring.scaffold.new_file import Identity, NewFile, make_yaml_file
from escudo.content.checks.words import ESCU_PRODUCTS, THREAT_OBJECT_TYPES
from escudo.content.elements.detection import PERIOD, TECHNIQUE
from escudo.content.elements.naming import name_file, name_filter
from escudo.content.elements.risk import RISK_OBJECT_TYPES
from escudo.content.knowledge import EVERYTHING
from escudo.content.reading import read_whole
from escudo.core.errors import EscudoError
from escudo.findings.tokens import ORIGINAL_SEARCH
from escudo.spl import format_text

_RISK_FIELDS: Mapping[str, str] = {
    "dest": "system",
    "user": "user",
    "src": "system",
    "src_user": "user",
    "dvc": "system",
    "host": "system",
    "src_ip": "system",
}
"""Fields that usually gain risk, in the order in which they are looked for (CIM's names)."""
_MOST_RISK_FIELDS = 2
_RISKY_TYPES = ("TTP", "Anomaly")
"""Types whose deployment makes risk events (contentctl's default deployments)."""
_TOKEN = re.compile(r"\$([^$\s]+)\$")
_EVENTS = (
    "| from datamodel Risk.All_Risk | search normalized_risk_object IN ({values})"
    " starthoursago=168"
    " | stats count min(_time) as firstTime max(_time) as lastTime"
    ' values(search_name) as "Search Name" values(risk_message) as "Risk Message"'
    ' values(analyticstories) as "Analytic Stories" values(annotations._all) as "Annotations"'
    ' values(annotations.mitre_attack.mitre_tactic) as "ATT&CK Tactics"'
    " by normalized_risk_object"
    " | `security_content_ctime(firstTime)` | `security_content_ctime(lastTime)`"
)
"""The drilldown that every detection of ESCU 5 has: the risk events of a week."""


def build_detection(
    identity: Identity, answers: Answers, fields: Sequence[str]
) -> tuple[NewFile, ...]:
    """The detection and its filter macro.

    Args:
        identity: its name and the like.
        answers: of ``fields.FIELDS``.
        fields: those that the search gives.

    Raises:
        EscudoError: AUT003, AUT004, AUT006 for answers that do not fit.
    """
    name = check_name(identity.name)
    kind = answers["type"]
    search = end_with_filter(answers["search"], name_filter(name))
    if kind not in _RISKY_TYPES:
        _refuse_risk(kind, answers)
    risk = _read_risk_objects(answers, fields) if kind in _RISKY_TYPES else []
    shown = [item["field"] for item in risk] or _guess_risk_fields(fields)
    tests = _build_tests(answers)
    status = answers.get("status") or (
        "production" if tests or kind == "Correlation" else "experimental"
    )
    if status == "production" and not tests and kind != "Correlation":
        raise EscudoError("AUT003", "a production detection has a test", hint="give --test-data")
    values: dict[str, Any] = {
        **identity.head(),
        "status": status,
        "type": kind,
        "description": answers.get("description") or f"Finds events of: {name}.",
        "data_source": list(answers.get("data_source", ())),
        "search": search,
        "how_to_implement": say_how(answers),
        "known_false_positives": answers.get("known_false_positives")
        or "None are known yet. Put what is expected into the filter macro.",
        "references": read_urls("--reference", answers.get("reference", ())),
        "drilldown_searches": _build_drilldowns(shown),
    }
    if risk:
        values["rba"] = {
            "message": _check_message(answers.get("message") or _make_message(name, shown), fields),
            "risk_objects": risk,
            "threat_objects": _read_threat_objects(answers, fields),
        }
    values["tags"] = _build_tags(answers, fields)
    values["tests"] = tests
    macro = {
        "name": name_filter(name),
        "definition": EVERYTHING,
        "description": f"What {name} leaves out: known and harmless.",
    }
    return (
        make_yaml_file(f"detections/{answers['folder']}/{name_file(name)}.yml", values),
        make_yaml_file(f"macros/{name_filter(name)}.yml", macro, kept=True),
    )


def _refuse_risk(kind: str, answers: Answers) -> None:
    """Answers that would have no effect."""
    for key in ("risk_object", "threat_object", "message"):
        if answers.get(key):
            option = f"--{key.replace('_', '-')}"
            raise EscudoError("AUT004", f"{option}: a detection of type {kind} has no risk")


def end_with_filter(search: str, macro: str) -> str:
    """A search, a command a line, with a filter macro at its end, once.

    >>> print(end_with_filter("index=a | head 1 | `odd_filter`", "odd_filter"))
    index=a
    | head 1
    | `odd_filter`
    """
    return f"{format_text(drop_filter(search, macro))}\n| `{macro}`"


def drop_filter(search: str, macro: str) -> str:
    """A search without the filter macro at its end.

    >>> drop_filter("index=a | `odd_filter` ", "odd_filter")
    'index=a'
    """
    return search.strip().removesuffix(f"`{macro}`").rstrip("| \t\r\n")


def _guess_risk_fields(fields: Sequence[str]) -> list[str]:
    return [name for name in _RISK_FIELDS if name in fields][:_MOST_RISK_FIELDS]


def _read_risk_objects(answers: Answers, fields: Sequence[str]) -> list[dict[str, Any]]:
    given = answers.get("risk_object") or _guess_risk_fields(fields)
    if not given:
        shown = ", ".join(fields) or "none that is known without events"
        raise EscudoError(
            "AUT003",
            "no field of the search is known to gain risk",
            hint=f"give --risk-object FIELD:TYPE:SCORE; the search's fields: {shown}",
        )
    out = []
    for text in given:
        name, kind, score = (*text.split(":"), "", "")[:3]
        kind = kind or _RISK_FIELDS.get(name, "other")
        check_field("--risk-object", name, fields)
        check_choice("--risk-object", kind, RISK_OBJECT_TYPES)
        out.append({"field": name, "type": kind, "score": _score(score or answers["score"])})
    return out


def _score(value: str | int) -> int:
    score = read_whole(str(value))
    if score is None or not 1 <= score <= 100:
        raise EscudoError("AUT004", f"{value!r} is no risk score: a whole number from 1 to 100")
    return score


def _read_threat_objects(answers: Answers, fields: Sequence[str]) -> list[dict[str, str]]:
    out = []
    for text in answers.get("threat_object", ()):
        name, _, kind = text.partition(":")
        check_field("--threat-object", name, fields)
        check_choice("--threat-object", kind or name, THREAT_OBJECT_TYPES)
        out.append({"field": name, "type": kind or name})
    return out


def _make_message(name: str, shown: Sequence[str]) -> str:
    places = {"system": "on", "user": "by", "other": "for"}
    parts = [f"{places[_RISK_FIELDS.get(field, 'other')]} ${field}$" for field in shown]
    return " ".join([name, *parts])


def _check_message(message: str, fields: Sequence[str]) -> str:
    for token in _TOKEN.findall(message):
        check_field("--message", token, fields)
    return message


def _build_drilldowns(shown: Sequence[str]) -> list[dict[str, str]]:
    named = " and ".join(f'"${name}$"' for name in shown)
    suffix = f" for - {named}" if named else ""
    narrow = " | search " + " ".join(f'{n} = "${n}$"' for n in shown) if shown else ""
    values = ", ".join(f'"${name}$"' for name in shown)
    window = {"earliest_offset": "$info_min_time$", "latest_offset": "$info_max_time$"}
    drilldowns = [
        {
            "name": f"View the detection results{suffix}",
            "search": f"{ORIGINAL_SEARCH}{narrow}",
            **window,
        }
    ]
    if shown:
        drilldowns.append(
            {
                "name": f"View risk events for the last 7 days{suffix}",
                "search": _EVENTS.format(values=values),
                **window,
            }
        )
    return drilldowns


def _build_tags(answers: Answers, fields: Sequence[str]) -> dict[str, Any]:
    tags: dict[str, Any] = {
        "analytic_story": list(answers.get("story", ())),
        "asset_type": answers["asset_type"],
        "mitre_attack_id": read_texts(
            "--technique", answers.get("technique", ()), TECHNIQUE, example="T1047"
        ),
        "product": list(ESCU_PRODUCTS),
        "security_domain": answers["security_domain"],
    }
    if cve := read_cves(answers):
        tags["cve"] = cve
    if answers.get("throttle"):
        named, _, period = answers["throttle"].rpartition(":")
        names = [n.strip() for n in named.split(",") if n.strip()]
        if not names or not PERIOD.fullmatch(period):
            raise EscudoError(
                "AUT004", f"--throttle {answers['throttle']!r}: such as dest,user:24h"
            )
        for name in names:
            check_field("--throttle", name, fields)
        tags["throttling"] = {"fields": names, "period": period}
    return tags


def _build_tests(answers: Answers) -> list[dict[str, Any]]:
    data = answers.get("test_data", ())
    if not data and (given := [o for o in ("source", "sourcetype") if answers.get(o)]):
        raise EscudoError("AUT003", f"--{given[0]} is that of a test's events: give --test-data")
    if not data:
        return []
    missing = [o for o in ("source", "sourcetype") if not answers.get(o)]
    if missing:
        raise EscudoError("AUT003", f"a test says the --{missing[0]} of its events")
    what = {"source": answers["source"], "sourcetype": answers["sourcetype"]}
    return [
        {"name": "True Positive Test", "attack_data": [{"data": path, **what} for path in data]}
    ]
