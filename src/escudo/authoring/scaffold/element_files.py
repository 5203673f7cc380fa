"""The answers of a new element -> its files, in the form of ESCU 5; ``actions.new_element`` and
repositories call it.

Keys and their order are those that contentctl 5.6.2 validates. Nothing is written here.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from escudo.authoring.naming import check_name, check_word
from escudo.authoring.scaffold.answers import (
    Answers,
    check_choice,
    read_cves,
    read_file,
    read_urls,
    say_how,
)
from escudo.authoring.scaffold.detection_files import build_detection
from escudo.authoring.scaffold.new_file import Identity, NewFile, make_yaml_file
from escudo.content.checks.words import ESCU_PRODUCTS, STORY_CATEGORIES
from escudo.content.elements.lookup import read_match_types
from escudo.content.elements.naming import name_file
from escudo.core.errors import EscudoError
from escudo.spl import format_text

BASELINE_SCHEDULE = ("10 0 * * *", "-1450m@m", "-10m@m")
"""When baselines run, unless one says otherwise: cron, earliest, latest."""


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
    return (make_yaml_file(f"macros/{name_file(name)}.yml", values),)


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
    given = answers.get("match_type", ())
    if match_types := [kind for text in given for kind in _read_match_types(text, columns)]:
        values["match_type"] = match_types
    for key, least, most in (("min_matches", 0, 1000), ("max_matches", 1, 1000)):
        number = answers.get(key)
        if number is not None:
            if not least <= number <= most:
                raise EscudoError("AUT004", f"{key} is from {least} to {most}")
            values[key] = number
    values["case_sensitive_match"] = answers.get("case", "sensitive") == "sensitive"
    files = [make_yaml_file(f"lookups/{name_file(name)}.yml", values)]
    if kind == "csv":
        files.append(NewFile(PurePosixPath(f"lookups/{name_file(name)}.csv"), rows))
    return tuple(files)


def _read_columns(answers: Answers, kind: str) -> tuple[bytes, list[str]]:
    """The CSV file's bytes and columns; those of the file that is to be copied, if one is."""
    columns = list(answers.get("column", ()))
    if answers.get("csv") and (kind != "csv" or columns):
        why = "a KV store has no file" if kind != "csv" else "--column is given, too"
        raise EscudoError("AUT004", f"--csv {answers['csv']}: {why}")
    if answers.get("csv"):
        data = read_file("--csv", answers["csv"])
        try:
            table = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
        except (UnicodeDecodeError, csv.Error) as error:
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


def _read_match_types(text: str, columns: Sequence[str]) -> Iterator[str]:
    named, rest = read_match_types(text)
    if rest or not named:
        raise EscudoError("AUT004", f"--match-type {text!r}: WILDCARD(column) or CIDR(column)")
    for column, kind in named.items():
        if column not in columns:
            raise EscudoError("AUT006", f"--match-type {text!r}: there is no column {column!r}")
        yield f"{kind}({column})"


def build_story(identity: Identity, answers: Answers) -> tuple[NewFile, ...]:
    name = check_name(identity.name)
    categories = list(answers.get("category", ())) or ["Adversary Tactics"]
    for category in categories:
        check_choice("--category", category, STORY_CATEGORIES)
    tags: dict[str, Any] = {
        "category": categories,
        "product": list(ESCU_PRODUCTS),
        "usecase": answers["use"],
    }
    if cve := read_cves(answers):
        tags["cve"] = cve
    description = answers.get("description") or f"Detections of {name}."
    values = {
        **identity.head(),
        "status": "production",
        "description": description,
        "narrative": answers.get("narrative") or description,
        "references": read_urls("--reference", answers.get("reference", ())),
        "tags": tags,
    }
    return (make_yaml_file(f"stories/{name_file(name)}.yml", values),)


def build_baseline(identity: Identity, answers: Answers) -> tuple[NewFile, ...]:
    name = check_name(identity.name)
    values: dict[str, Any] = {
        **identity.head(),
        "type": "Baseline",
        "status": "production",
        "description": answers.get("description") or f"Learns what is usual: {name}.",
        "search": format_text(answers["search"]),
        "how_to_implement": say_how(answers),
        "known_false_positives": answers.get("known_false_positives") or "None are known yet.",
        "references": read_urls("--reference", answers.get("reference", ())),
        "tags": {
            "analytic_story": list(answers.get("story", ())),
            "detections": list(answers.get("detection", ())),
            "product": list(ESCU_PRODUCTS),
            "security_domain": answers["security_domain"],
        },
    }
    said = [answers.get(key) for key in ("cron", "earliest", "latest")]
    if any(said):
        cron, earliest, latest = (
            own or usual for own, usual in zip(said, BASELINE_SCHEDULE, strict=True)
        )
        values["deployment"] = {"scheduling": make_scheduling(cron, earliest, latest)}
    return (make_yaml_file(f"baselines/{name_file(name)}.yml", values),)


def make_scheduling(cron: str, earliest: str, latest: str) -> dict[str, str]:
    return {
        "cron_schedule": cron,
        "earliest_time": earliest,
        "latest_time": latest,
        "schedule_window": "auto",
    }


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
        data = read_file("--example", answers["example"])
        try:
            values["example_log"] = data.decode().strip()
        except UnicodeDecodeError as error:
            raise EscudoError("AUT004", f"--example {answers['example']}: {error}") from error
    return (make_yaml_file(f"data_sources/{name_file(name)}.yml", values),)


def _add_on(text: str) -> dict[str, str]:
    name, _, rest = text.partition(":")
    version, _, url = rest.partition(":")
    if not name or not version:
        raise EscudoError("AUT004", f"--add-on {text!r}: NAME:VERSION or NAME:VERSION:URL")
    urls = read_urls("--add-on", [url] if url else ())
    return {"name": name, **({"url": urls[0]} if urls else {}), "version": version}


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
