"""Checks of every element: its name, author, dates, version, id, references, file, status."""

from __future__ import annotations

import difflib
import re
import uuid
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

from escudo.content.checks.element import FINDINGS, OBSERVABLES, RBA, Check, Element, Found, Known
from escudo.content.checks.words import EARLIER_STATUSES, STATUSES
from escudo.content.elements.detection import DEFAULT_LABEL
from escudo.content.elements.naming import LONGEST_NAME, measure_room, name_file
from escudo.core.errors import Span

LONGEST_AUTHOR = 255
LONGEST_DESCRIPTION = 10_000
LEFT_OVER = "__UPDATE__"

_SEARCHES = ("detection", "baseline", "investigation")
_WHOLE = re.compile(r"\d+")
_COMMON = ("name", "id", "version", "author", "description")
_REQUIRED = {
    "detection": ("type", "status", "search", "how_to_implement", "known_false_positives"),
    "baseline": ("search", "how_to_implement", "known_false_positives"),
    "investigation": ("search",),
    "story": ("narrative",),
    "data source": ("source", "sourcetype"),
    "lookup": (),
    "deployment": (),
    "macro": (),
}
_SHORTEST = {"how_to_implement": 4, "known_false_positives": 4}


def find_missing_keys(element: Element, known: Known) -> Iterator[Found]:
    keys: Sequence[str] = (*_COMMON, *_REQUIRED.get(element.kind, ()))
    if element.kind == "macro":
        keys = ("name", "description")
    elif element.kind == "lookup" and element.format == OBSERVABLES:
        keys = ("name",)
    elif element.kind == "deployment":
        keys = ("name", "id", "author", "description", "type")
    elif element.format != FINDINGS:
        keys = (*keys, "date")
    elif not element.root.has("creation_date"):
        keys = (*keys, "creation_date")
    for key in keys:
        value = element.root.get(key)
        if value.is_list or value.is_mapping:
            continue  # loading says that it is no text
        if not value.text:
            yield Found(value, f"{key} is missing", f"each {element.kind} has one")
        elif len(value.text) < _SHORTEST.get(key, 1):
            yield Found(value, f"{key} says too little: {value.text!r}")


def find_long_names(element: Element, known: Known) -> Iterator[Found]:
    name = element.root.get("name")
    if element.kind not in _SEARCHES:
        if len(name.text) > LONGEST_NAME:
            yield Found(
                name, f"the name has {len(name.text)} characters, of at most {LONGEST_NAME}"
            )
        return
    given = element.file.label
    label = "ESCU" if given == DEFAULT_LABEL else given
    most = measure_room(label)
    if len(name.text) > most:
        yield Found(
            name,
            f"the name has {len(name.text)} characters, of at most {most}",
            f"Enterprise Security edits names of {LONGEST_NAME} characters, and makes it"
            f" '<domain> - {label} - NAME - Rule - Rule'",
        )


def find_long_texts(element: Element, known: Known) -> Iterator[Found]:
    for key, most in (("author", LONGEST_AUTHOR), ("description", LONGEST_DESCRIPTION)):
        value = element.root.get(key)
        if len(value.text) > most:
            yield Found(value, f"{key} has {len(value.text):,} characters, of at most {most:,}")


def find_wrong_dates(element: Element, known: Known) -> Iterator[Found]:
    days: dict[str, date] = {}
    for key in ("date", "creation_date", "modification_date"):
        value = element.root.get(key)
        if not value.present:
            continue
        try:
            days[key] = date.fromisoformat(value.text)
        except ValueError:
            yield Found(value, f"{key} {value.text!r} is not a date", "write YYYY-MM-DD")
            continue
        if days[key] > known.today:
            yield Found(value, f"{key} {value.text} is in the future: today is {known.today} UTC")
    made, changed = days.get("creation_date"), days.get("modification_date")
    if made is not None and changed is not None and changed < made:
        value = element.root.get("modification_date")
        yield Found(value, f"modification_date {changed} is before creation_date {made}")


def find_wrong_version(element: Element, known: Known) -> Iterator[Found]:
    value = element.root.get("version")
    if value.present and not _WHOLE.fullmatch(value.text):
        yield Found(value, f"version {value.text!r} is not a whole number")


def find_wrong_ids(element: Element, known: Known) -> Iterator[Found]:
    value = element.root.get("id")
    if value.text and not is_uuid(value.text):
        yield Found(
            value,
            f"id {value.text!r} is not a UUID",
            "make one: python -c 'import uuid; print(uuid.uuid4())'",
        )


def is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def find_wrong_references(element: Element, known: Known) -> Iterator[Found]:
    for value in element.root.get("references").members:
        if not is_url(value.text):
            yield Found(value, f"reference {value.text!r} is not a URL", "write http(s)://...")


def is_url(text: str) -> bool:
    """Whether a text is an http(s) URL with a host; later blanks are encoded by who follows it.

    >>> is_url("https://example.org/a"), is_url("example.org"), is_url("https:///a")
    (True, False, False)
    """
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        return parts.scheme in ("http", "https") and bool(host) and not re.search(r"\s", host)
    except ValueError:
        return False


def find_wrong_file_name(element: Element, known: Known) -> Iterator[Found]:
    name, file = element.root.get("name"), Path(element.file.path)
    if not name.text or element.kind == "deployment":
        return
    expected = f"{name_file(name.text)}.yml"
    if file.name != expected:
        yield Found(
            name,
            f"the file is {file.name}, but by its name it would be {expected}",
            "rename the file, or the element",
        )


def find_wrong_status(element: Element, known: Known) -> Iterator[Found]:
    value = element.root.get("status")
    allowed = STATUSES[element.kind]
    if element.kind == "detection" and element.format < RBA:
        allowed = (*allowed, *EARLIER_STATUSES)
    if value.present and value.text not in allowed:
        near = difflib.get_close_matches(value.text, allowed, 1)
        yield Found(
            value,
            f"status {value.text!r} is not one of: {', '.join(allowed)}",
            f"did you mean {near[0]!r}?" if near else None,
        )


def find_left_overs(element: Element, known: Known) -> Iterator[Found]:
    if LEFT_OVER not in element.file.source:
        return
    for number, line in enumerate(element.file.source.splitlines(), 1):
        column = line.find(LEFT_OVER) + 1
        if column:
            span = Span(element.file.path, number, column, number, column + len(LEFT_OVER))
            yield Found(span, f"{LEFT_OVER} is left over from the template", "fill in the value")


CHECKS = (
    Check("CON401", find_missing_keys, since=OBSERVABLES),
    Check("CON402", find_long_names, since=RBA),
    Check("CON403", find_long_texts),
    Check("CON404", find_wrong_dates),
    Check("CON405", find_wrong_version),
    Check("CON406", find_wrong_ids),
    Check("CON408", find_wrong_references),
    Check("CON409", find_wrong_file_name, since=RBA),
    Check("CON410", find_wrong_status),
    Check("CON411", find_left_overs, contract=False),
)
