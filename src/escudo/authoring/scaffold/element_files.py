"""The answers of a new element -> its files, in the form of ESCU 5; ``actions.new_element`` and
repositories call it.

Keys and their order are those that contentctl 5.6.2 validates. Nothing is written here.
"""

from __future__ import annotations

import csv
import io
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any

from escudo.authoring.naming import check_name, check_word, name_file, name_filter
from escudo.authoring.scaffold.vocabulary import (
    MATCH_TYPES,
    PRODUCTS,
    RISK_OBJECT_TYPES,
    STORY_CATEGORIES,
    THREAT_OBJECT_TYPES,
)
from escudo.authoring.yaml_text import write_yaml
from escudo.core.errors import EscudoError
from escudo.spl import format_text

Answers = Mapping[str, Any]

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
_URL = re.compile(r"https?://\S+")
_TECHNIQUE = re.compile(r"T\d{4}(\.\d{3})?")
_CVE = re.compile(r"CVE-[12]\d{3}-\d+")
_PERIOD = re.compile(r"[0-9]+[smh]")
_TOKEN = re.compile(r"\$([^$\s]+)\$")
_MATCH = re.compile(r"(\w+)\(([^()]+)\)")
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


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file below the root of a repository. A ``kept`` one stays as it is where there is one."""

    path: PurePosixPath
    data: bytes
    kept: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What every element has: a name, an id, a day, an author."""

    name: str
    author: str
    today: date
    id: uuid.UUID

    def head(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "id": str(self.id),
            "version": 1,
            "date": self.today.isoformat(),
            "author": self.author,
        }


def build_detection(
    identity: Identity, answers: Answers, fields: Sequence[str]
) -> tuple[NewFile, ...]:
    """The detection and its filter macro.

    Args:
        identity: its name and the like.
        answers: by the names of ``fields.FIELDS``.
        fields: those that the search gives.

    Raises:
        EscudoError: AUT003, AUT004, AUT006 for answers that do not fit.
    """
    name = check_name(identity.name)
    kind = answers["type"]
    search = end_with_filter(answers["search"], name_filter(name))
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
        "how_to_implement": answers.get("how_to_implement") or _say_how(answers),
        "known_false_positives": answers.get("known_false_positives")
        or "None are known yet. Put what is expected into the filter macro.",
        "references": _urls(answers.get("reference", ())),
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
        "definition": "search *",
        "description": f"What {name} leaves out: known and harmless.",
    }
    return (
        _yaml_file(f"detections/{answers['folder']}/{name_file(name)}.yml", values),
        NewFile(PurePosixPath(f"macros/{name_filter(name)}.yml"), write_yaml(macro).encode(), True),
    )


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


def _say_how(answers: Answers) -> str:
    sources = " or ".join(answers.get("data_source", ()))
    return f"Collect {sources}." if sources else "Collect the events that the search reads."


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
        _check_field("--risk-object", name, fields)
        _check_word("--risk-object", kind, RISK_OBJECT_TYPES)
        out.append({"field": name, "type": kind, "score": _score(score or answers["score"])})
    return out


def _score(value: str | int) -> int:
    if not str(value).isdigit() or not 1 <= int(value) <= 100:
        raise EscudoError("AUT004", f"{value!r} is no risk score: a whole number from 1 to 100")
    return int(value)


def _read_threat_objects(answers: Answers, fields: Sequence[str]) -> list[dict[str, str]]:
    out = []
    for text in answers.get("threat_object", ()):
        name, _, kind = text.partition(":")
        _check_field("--threat-object", name, fields)
        _check_word("--threat-object", kind or name, THREAT_OBJECT_TYPES)
        out.append({"field": name, "type": kind or name})
    return out


def _make_message(name: str, shown: Sequence[str]) -> str:
    places = {"system": "on", "user": "by", "other": "for"}
    parts = [f"{places[_RISK_FIELDS.get(field, 'other')]} ${field}$" for field in shown]
    return " ".join([name, *parts])


def _check_message(message: str, fields: Sequence[str]) -> str:
    for token in _TOKEN.findall(message):
        _check_field("--message", token, fields)
    return message


def _check_field(option: str, name: str, fields: Sequence[str]) -> None:
    if fields and name not in fields:
        raise EscudoError(
            "AUT006",
            f"{option}: the search gives no {name!r}",
            hint=f"it gives {', '.join(fields)}",
        )


def _check_word(option: str, word: str, allowed: Sequence[str]) -> None:
    if word not in allowed:
        raise EscudoError(
            "AUT004", f"{option}: {word!r} is no type", hint=f"it is one of {', '.join(allowed)}"
        )


def _build_drilldowns(shown: Sequence[str]) -> list[dict[str, str]]:
    named = " and ".join(f'"${name}$"' for name in shown)
    suffix = f" for - {named}" if named else ""
    narrow = " | search " + " ".join(f'{n} = "${n}$"' for n in shown) if shown else ""
    values = ", ".join(f'"${name}$"' for name in shown)
    window = {"earliest_offset": "$info_min_time$", "latest_offset": "$info_max_time$"}
    drilldowns = [
        {
            "name": f"View the detection results{suffix}",
            "search": f"%original_detection_search%{narrow}",
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
        "mitre_attack_id": _checked("--technique", answers.get("technique", ()), _TECHNIQUE),
        "product": list(PRODUCTS),
        "security_domain": answers["security_domain"],
    }
    if cve := _checked("--cve", answers.get("cve", ()), _CVE):
        tags["cve"] = cve
    if answers.get("throttle"):
        named, _, period = answers["throttle"].rpartition(":")
        names = [n.strip() for n in named.split(",") if n.strip()]
        if not names or not _PERIOD.fullmatch(period):
            raise EscudoError(
                "AUT004", f"--throttle {answers['throttle']!r}: such as dest,user:24h"
            )
        for name in names:
            _check_field("--throttle", name, fields)
        tags["throttling"] = {"fields": names, "period": period}
    return tags


def _build_tests(answers: Answers) -> list[dict[str, Any]]:
    data = answers.get("test_data", ())
    if not data:
        return []
    missing = [o for o in ("source", "sourcetype") if not answers.get(o)]
    if missing:
        raise EscudoError("AUT003", f"a test says the --{missing[0]} of its events")
    what = {"source": answers["source"], "sourcetype": answers["sourcetype"]}
    return [
        {"name": "True Positive Test", "attack_data": [{"data": path, **what} for path in data]}
    ]


def _checked(option: str, given: Sequence[str], pattern: re.Pattern[str]) -> list[str]:
    for text in given:
        if not pattern.fullmatch(text):
            raise EscudoError("AUT004", f"{option}: {text!r} is none")
    return list(given)


def _urls(given: Sequence[str]) -> list[str]:
    return _checked("--reference", given, _URL)


def build_macro(identity: Identity, answers: Answers) -> tuple[NewFile, ...]:
    name = check_word(identity.name, "macro")
    arguments = [check_word(a, "argument") for a in answers.get("argument", ())]
    unused = [a for a in arguments if f"${a}$" not in answers["definition"]]
    if unused:
        raise EscudoError("AUT004", f"the definition has no ${unused[0]}$, which is an argument")
    values: dict[str, Any] = {"name": name, "definition": answers["definition"].strip()}
    if arguments:
        values["arguments"] = arguments
    values["description"] = answers.get("description") or f"Stands for what {name} says."
    return (_yaml_file(f"macros/{name_file(name)}.yml", values),)


def build_lookup(identity: Identity, answers: Answers) -> tuple[NewFile, ...]:
    """The lookup's definition and, of a CSV file, its rows."""
    name = check_word(identity.name, "lookup")
    kind = answers["type"]
    rows, columns = _read_columns(answers, kind)
    head = identity.head()
    values: dict[str, Any] = {
        **{key: head[key] for key in ("name", "date", "version", "id", "author")},
        "lookup_type": kind,
        "description": answers.get("description") or f"The table {name}.",
    }
    if kind == "kvstore":
        values["fields"] = ["_key", *(c for c in columns if c != "_key")]
    if answers.get("default_match"):
        values["default_match"] = answers["default_match"]
    if match_types := [_match_type(t, columns) for t in answers.get("match_type", ())]:
        values["match_type"] = match_types
    for key, least, most in (("min_matches", 0, 1000), ("max_matches", 1, 1000)):
        number = answers.get(key)
        if number is not None:
            if not least <= number <= most:
                raise EscudoError("AUT004", f"{key} is from {least} to {most}")
            values[key] = number
    values["case_sensitive_match"] = answers.get("case", "sensitive") == "sensitive"
    files = [_yaml_file(f"lookups/{name_file(name)}.yml", values)]
    if kind == "csv":
        files.append(NewFile(PurePosixPath(f"lookups/{name_file(name)}.csv"), rows))
    return tuple(files)


def _read_columns(answers: Answers, kind: str) -> tuple[bytes, list[str]]:
    """The CSV file's bytes and columns; those of the file that is to be copied, if one is."""
    columns = list(answers.get("column", ()))
    if answers.get("csv"):
        try:
            data = Path(answers["csv"]).read_bytes()
            table = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise EscudoError("AUT004", f"--csv {answers['csv']}: {error}") from error
        header = table[0] if table else []
        odd = next((n for n, row in enumerate(table, 1) if len(row) != len(header)), None)
        if not header or odd is not None:
            where = f"row {odd} is not as wide as the header" if odd else "it has no header"
            raise EscudoError("AUT004", f"--csv {answers['csv']}: {where}")
        return data, header
    if not columns:
        what = "columns" if kind == "csv" else "fields"
        raise EscudoError("AUT003", f"the lookup has no {what}", hint="give --column, or --csv")
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(columns)
    return text.getvalue().encode(), columns


def _match_type(text: str, columns: Sequence[str]) -> str:
    match = _MATCH.fullmatch(text.strip())
    if match is None or match[1].upper() not in MATCH_TYPES:
        raise EscudoError("AUT004", f"--match-type {text!r}: WILDCARD(column) or CIDR(column)")
    if match[2] not in columns:
        raise EscudoError("AUT006", f"--match-type {text!r}: there is no column {match[2]!r}")
    return f"{match[1].upper()}({match[2]})"


def build_story(identity: Identity, answers: Answers) -> tuple[NewFile, ...]:
    name = check_name(identity.name)
    categories = list(answers.get("category", ())) or ["Adversary Tactics"]
    for category in categories:
        _check_word("--category", category, STORY_CATEGORIES)
    tags: dict[str, Any] = {
        "category": categories,
        "product": list(PRODUCTS),
        "usecase": answers["use"],
    }
    if cve := _checked("--cve", answers.get("cve", ()), _CVE):
        tags["cve"] = cve
    description = answers.get("description") or f"Detections of {name}."
    values = {
        **identity.head(),
        "status": "production",
        "description": description,
        "narrative": answers.get("narrative") or description,
        "references": _urls(answers.get("reference", ())),
        "tags": tags,
    }
    return (_yaml_file(f"stories/{name_file(name)}.yml", values),)


def build_baseline(identity: Identity, answers: Answers) -> tuple[NewFile, ...]:
    name = check_name(identity.name)
    values: dict[str, Any] = {
        **identity.head(),
        "type": "Baseline",
        "status": "production",
        "description": answers.get("description") or f"Learns what is usual: {name}.",
        "search": format_text(answers["search"]),
        "how_to_implement": answers.get("how_to_implement") or _say_how(answers),
        "known_false_positives": answers.get("known_false_positives") or "None are known yet.",
        "references": _urls(answers.get("reference", ())),
        "tags": {
            "analytic_story": list(answers.get("story", ())),
            "detections": list(answers.get("detection", ())),
            "product": list(PRODUCTS),
            "security_domain": answers["security_domain"],
        },
    }
    if answers.get("cron"):
        values["deployment"] = {
            "scheduling": {
                "cron_schedule": answers["cron"],
                "earliest_time": answers["earliest"],
                "latest_time": answers["latest"],
                "schedule_window": "auto",
            }
        }
    return (_yaml_file(f"baselines/{name_file(name)}.yml", values),)


def build_data_source(identity: Identity, answers: Answers) -> tuple[NewFile, ...]:
    name = check_name(identity.name)
    values: dict[str, Any] = {
        **identity.head(),
        "description": answers.get("description") or f"Events of {name}.",
        "source": answers["source"],
        "sourcetype": answers["sourcetype"],
    }
    for key in ("separator", "separator_value"):
        if answers.get(key):
            values[key] = answers[key]
    values["supported_TA"] = [_add_on(text) for text in answers.get("add_on", ())]
    values["fields"] = list(answers.get("field", ())) or ["_time"]
    if answers.get("example"):
        try:
            values["example_log"] = Path(answers["example"]).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise EscudoError("AUT004", f"--example {answers['example']}: {error}") from error
    return (_yaml_file(f"data_sources/{name_file(name)}.yml", values),)


def _add_on(text: str) -> dict[str, str]:
    name, _, rest = text.partition(":")
    version, _, url = rest.partition(":")
    if not name or not version:
        raise EscudoError("AUT004", f"--add-on {text!r}: NAME:VERSION or NAME:VERSION:URL")
    return {"name": name, **({"url": _urls([url])[0]} if url else {}), "version": version}


def _yaml_file(path: str, values: Mapping[str, Any]) -> NewFile:
    return NewFile(PurePosixPath(path), write_yaml(values).encode())


_BUILDERS: Mapping[str, Callable[[Identity, Answers], tuple[NewFile, ...]]] = {
    "macro": build_macro,
    "lookup": build_lookup,
    "story": build_story,
    "baseline": build_baseline,
    "data_source": build_data_source,
}
"""Those of the kinds but detections, which need the fields of their search."""


def build_element(
    kind: str, identity: Identity, answers: Answers, fields: Sequence[str] = ()
) -> tuple[NewFile, ...]:
    """The files of an element of a kind; ``fields`` are those that a detection's search gives.

    Raises:
        EscudoError: AUT001, AUT003, AUT004, AUT006 for answers that do not fit.
    """
    if kind == "detection":
        return build_detection(identity, answers, fields)
    return _BUILDERS[kind](identity, answers)
