"""Every search of the upstream content, with its macros as dicts: what the language must read.

The content package loads the same files with their places and types; here nothing but the texts is
needed, and the language must not lean on what is right of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.shared_data import SHARED
from tests.spl.knowledge import Book

CIM_MACROS = {
    ("drop_dm_object_name", ("object",)): 'rename "$object$.*" as "*"',
    ("summariesonly", ()): "summariesonly=false",
    ("ctime", ("field",)): 'convert timeformat="%m/%d/%Y %H:%M:%S" ctime($field$)',
}
"""Macros that the searches use and that come with Splunk's CIM add-on."""

NOT_PART_OF_THE_CONTENT = {
    "excessive_dns_failures": "macro get_asset belongs to Splunk Enterprise Security",
    "get_notable_history": "macro notable belongs to Splunk Enterprise Security",
}


@dataclass(frozen=True)
class Search:
    """One search: which kind of content it is of, its file's name, its text."""

    kind: str
    name: str
    text: str


def _documents(kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    assert SHARED is not None
    folder: Path = SHARED / "security_content" / kind
    for path in sorted(folder.rglob("*.yml")):
        loaded = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
        if isinstance(loaded, dict):
            yield path.stem, loaded


@cache
def searches() -> tuple[Search, ...]:
    """Detections, baselines, investigations and drilldowns."""
    out: list[Search] = []
    for kind in ("detections", "baselines", "investigations"):
        for name, document in _documents(kind):
            text = document["search"]
            out.append(Search(kind, name, text))
            for drilldown in document.get("drilldown_searches") or []:
                filled = drilldown["search"].replace("%original_detection_search%", text)
                out.append(Search("drilldowns", name, filled))
    return tuple(out)


@cache
def book() -> Book:
    """The content's macros, the CIM add-on's, and the generated ``NAME_filter`` ones."""
    out = Book()
    for (name, arguments), definition in CIM_MACROS.items():
        out.define(name, definition, arguments)
    for search in searches():
        out.define(f"{search.name}_filter", "search *")
    for _, document in _documents("macros"):
        out.define(document["name"], document["definition"], document.get("arguments") or ())
    return out
