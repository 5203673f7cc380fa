"""YAML -> a lookup definition: a table of a CSV file, or of a KV-store collection."""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from escudo.content.reading import Section
from escudo.content.roots import stays_inside
from escudo.core.catalog import Lookup
from escudo.core.errors import Severity

_MATCH_TYPE = re.compile(r"\s*(WILDCARD|CIDR)\s*\(\s*([^)]*?)\s*\)\s*(?:,|$)", re.IGNORECASE)
_LIMIT = 1000
"""Splunk's default for the number of matches (transforms.conf, max_matches)."""


def read_lookup(section: Section, file: Path, root: Path) -> Lookup:
    """A lookup from its YAML ``file``; a file name is looked for beside it.

    A lookup of type csv without a file name has that of the YAML, with ``.csv``, or its own name.
    A name that leads out of ``root`` is an error (CON211).
    """
    name = section.text("name").strip()
    filename = section.text("filename", "").strip()
    collection = section.text("collection", "").strip() or None
    kind = section.text("lookup_type", "").strip().lower()
    if not filename and kind in ("csv", "mlmodel"):
        beside = file.with_suffix(f".{kind}")
        filename = beside.name if beside.is_file() else f"{name}.{kind}"
    if collection is None and kind == "kvstore":
        collection = name
    path = _find(section, file.parent / filename, root) if filename else None
    fields = ",".join(section.texts("fields_list") or section.texts("fields"))
    match_types = _match_types(section)
    for message in find_wrong_columns(path, match_types):
        section.problem("CON206", message, "match_type", severity=Severity.WARNING)
    default = section.text("default_match", "").strip() or None
    lookup = Lookup(
        name=name,
        path=path,
        collection=collection,
        fields=tuple(f for f in re.split(r"[,\s]+", fields) if f),
        match_types=match_types,
        case_sensitive=section.boolean("case_sensitive_match", True),
        min_matches=section.integer("min_matches", 0),
        max_matches=section.integer("max_matches", _LIMIT),
        default_match=default,
        span=section.span,
    )
    section.ignore("description", "id", "version", "date", "author", "status", "key_fields")
    section.ignore("creation_date", "modification_date")
    section.finish()
    return lookup


def _find(section: Section, path: Path, root: Path) -> str:
    named = "filename" if section.has("filename") else "name"
    if not stays_inside(path, root):
        section.problem("CON211", f"the lookup's file is outside of {root}", named)
    elif path.suffix.lower() == ".csv" and not path.is_file():
        section.problem(
            "CON202",
            f"the file {path.name} is not beside the lookup",
            named,
            "searches that use it fail (SPL314), unless one of the content writes it",
            Severity.WARNING,
        )
    return str(path)


def _match_types(section: Section) -> dict[str, str]:
    """``WILDCARD(a),CIDR(b)`` as field -> type; several fields may share one."""
    text = ",".join(section.texts("match_type"))
    out, rest = read_match_types(text)
    if rest:
        section.problem(
            "CON104",
            f"match_type {text!r} is not understood",
            "match_type",
            "write WILDCARD(field) or CIDR(field), with commas between",
        )
    return out


def find_wrong_columns(path: str | None, match_types: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with a ``match_type``: fields that the lookup's CSV file has no column for."""
    if path is None or not path.lower().endswith(".csv") or not match_types:
        return
    try:
        with open(path, encoding="utf-8-sig", errors="replace", newline="") as file:
            names = [name.strip() for name in next(csv.reader(file), [])]
    except (OSError, csv.Error):
        return
    for name, kind in match_types.items():
        if names and name not in names:
            close = difflib.get_close_matches(name, names, 1)
            better = f", which has '{close[0]}'" if close else ""
            yield f"{kind}({name}): there is no such column in {Path(path).name}{better}"


def read_match_types(text: str) -> tuple[dict[str, str], str]:
    """Field -> type of a ``match_type``, and what of it is not understood.

    >>> read_match_types("WILDCARD(a, b), CIDR(c), LIKE(d)")
    ({'a': 'WILDCARD', 'b': 'WILDCARD', 'c': 'CIDR'}, 'LIKE(d)')
    """
    out: dict[str, str] = {}
    rest = text
    while rest.strip():
        match = _MATCH_TYPE.match(rest)
        if match is None:
            break
        for name in match.group(2).split(","):
            out[name.strip()] = match.group(1).upper()
        rest = rest[match.end() :]
    return out, rest.strip()
