"""Checks of lookups: their file and its rows, numbers, keys; files that no lookup names."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from escudo.content.checks.element import RBA, Check, Element, Found, Known
from escudo.content.checks.risk_checks import is_number
from escudo.content.elements.lookup import read_match_types
from escudo.content.roots import stays_inside
from escudo.core.errors import Span

_FILES = ("csv", "mlmodel")
_TOLD = 5
"""Rows of one file that are shown; the count of the others is said with the last."""
LEAST_MATCHES, MOST_MATCHES = 1, 1000
MODEL_PREFIX = "__mlspl_"


def find_file(element: Element) -> Path | None:
    """The file of a lookup's rows: the one it names (ESCU 4), or that of its YAML's name."""
    kind, named = element.root.get("lookup_type").text, element.root.get("filename").text
    if named:
        return element.folder / named
    return Path(element.file.path).with_suffix(f".{kind}") if kind in _FILES else None


def find_missing_file(element: Element, known: Known) -> Iterator[Found]:
    path = find_file(element)
    if path is None or not stays_inside(path, Path(element.file.root)) or path.is_file():
        return
    key = "filename" if element.root.has("filename") else "lookup_type"
    yield Found(element.root.get(key), f"the lookup's file {path.name} is not there")


def find_wrong_model_name(element: Element, known: Known) -> Iterator[Found]:
    name = Path(element.file.path).name
    if element.root.get("lookup_type").text == "mlmodel" and not name.startswith(MODEL_PREFIX):
        value = element.root.get("name")
        yield Found(value, f"the file of a model begins with {MODEL_PREFIX}, this one is {name}")


def find_ragged_rows(element: Element, known: Known) -> Iterator[Found]:
    path = find_file(element)
    if path is None or path.suffix.lower() != ".csv" or not path.is_file():
        return
    if not stays_inside(path, Path(element.file.root)):
        return
    wrong = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = csv.reader(stream)
            header = next(rows, [])
            if not header:
                yield Found(Span(str(path), 1, 1, 1, 1), f"{path.name} has no header")
            line = rows.line_num
            for row in rows:
                begun, line = line + 1, rows.line_num
                if row and len(row) != len(header):
                    wrong += 1
                    if wrong <= _TOLD:
                        message = f"the row has {len(row)} fields, the header {len(header)}"
                        yield Found(Span(str(path), begun, 1, begun, 2), message)
    except UnicodeDecodeError:
        yield Found(Span(str(path), 1, 1, 1, 1), f"{path.name} is not UTF-8 text")
    except (OSError, csv.Error) as error:
        yield Found(Span(str(path), 1, 1, 1, 1), f"{path.name} cannot be read: {error}")
    if wrong > _TOLD:
        value = element.root.get("name")
        yield Found(value, f"{path.name} has {wrong - _TOLD:,} more rows of another width")


def find_wrong_numbers(element: Element, known: Known) -> Iterator[Found]:
    most = element.root.get("max_matches")
    if most.present and not is_number(most.text, LEAST_MATCHES, MOST_MATCHES):
        message = f"max_matches {most.text!r} is not a number of {LEAST_MATCHES} to {MOST_MATCHES}"
        yield Found(most, message)
    least = element.root.get("min_matches")
    if least.present and not is_number(least.text, 0, MOST_MATCHES):
        yield Found(least, f"min_matches {least.text!r} is not a number of 0 to {MOST_MATCHES}")


def find_wrong_match_types(element: Element, known: Known) -> Iterator[Found]:
    for value in element.root.get("match_type").members:
        if read_match_types(value.text)[1]:
            yield Found(
                value,
                f"match_type {value.text!r} is not understood",
                "write WILDCARD(field) or CIDR(field)",
            )


def find_missing_key(element: Element, known: Known) -> Iterator[Found]:
    if element.root.get("lookup_type").text != "kvstore":
        return
    fields = element.root.get("fields")
    names = [n for text in fields.texts for n in re.split(r"[,\s]+", text) if n]
    if not names:
        yield Found(fields, "a KV store's lookup has fields", "the first is _key")
    elif names[0] != "_key":
        yield Found(fields.members[0], f"the fields of a KV store begin with _key, not {names[0]}")


def find_orphans(root: Path, used: frozenset[Path]) -> Iterator[tuple[Path, str]]:
    """The files of rows in the ``lookups`` folder of some content that no lookup of it names."""
    folder = root / "lookups"
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.suffix.lower().lstrip(".") in _FILES and path.resolve() not in used:
            yield path, f"no lookup refers to {path.name}"


CHECKS = (
    Check("CON461", find_missing_file),
    Check("CON461", find_wrong_model_name, since=RBA),
    Check("CON462", find_ragged_rows),
    Check("CON463", find_wrong_numbers),
    Check("CON464", find_wrong_match_types, contract=False),
    Check("CON465", find_missing_key, since=RBA),
)
