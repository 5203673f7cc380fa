"""Macros, lookups, stories -> stanzas of macros.conf, transforms.conf, collections.conf and
analyticstories.conf, and the tables themselves; ``package`` calls it.

Keys as contentctl 5.6.2 has them (``macros.j2``, ``transforms.j2``, ``analyticstories_*.j2``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from escudo.authoring.apps.conf_text import Stanza, write_json, write_truth
from escudo.authoring.apps.identity import AppIdentity
from escudo.authoring.apps.saved_searches import SearchNaming, list_mappings
from escudo.authoring.yaml_text import read_values
from escudo.content import Content, Detection, Story
from escudo.content.checks import find_owner
from escudo.content.knowledge import EVERYTHING
from escudo.content.loading import is_builtin
from escudo.core.catalog import Lookup, Macro

_LIMIT = 1000
"""Splunk's default of ``max_matches``, which is not written."""
_DATED = re.compile(r"_\d{8}$")
_MODEL = ".mlmodel"


def is_own(file: str | None) -> bool:
    """Whether an element is of the content itself, not of Escudo's own below it."""
    return file is not None and not is_builtin(file)


def list_macros(content: Content, used: Iterable[str]) -> list[Macro]:
    """The content's macros, and those that its searches use and no other app has: a filter that
    nobody defines lets everything pass; of Escudo's own what ESCU has."""
    chosen = {
        (m.name, len(m.arguments)): m
        for m in content.macros
        if m.span is None or is_own(m.span.file)
    }
    for macro in content.macros:
        if macro.name in used and find_owner("macro", macro.name) is None:
            chosen.setdefault((macro.name, len(macro.arguments)), macro)
    for name in used:
        if name.endswith("_filter"):
            chosen.setdefault((name, 0), Macro(name, EVERYTHING))
    return [chosen[key] for key in sorted(chosen)]


def write_macro(macro: Macro) -> Stanza:
    count = len(macro.arguments)
    settings = {"args": ", ".join(macro.arguments)} if count else {}
    settings["definition"] = macro.definition
    if macro.is_eval:
        settings["iseval"] = "1"
    described = _describe(macro.span.file if macro.span else None)
    settings["description"] = described or "Limits what a search finds."
    return f"{macro.name}({count})" if count else macro.name, settings


def _describe(file: str | None) -> str:
    return str(read_values(Path(file)).get("description") or "") if file is not None else ""


@dataclass(frozen=True, slots=True)
class AppTable:
    """A lookup, and the name that its file has in the app (None for a collection)."""

    lookup: Lookup
    filename: str | None


def list_tables(content: Content, searches: Iterable[str]) -> list[AppTable]:
    """The content's lookups. A CSV file's name ends with the day of its last change, so that an
    update of the app does not meet the table that a user has changed (contentctl); it keeps its
    name where its YAML says one, or a search names the file itself."""
    text = "\n".join(searches)
    out = []
    for lookup in content.lookups:
        if lookup.path is None and lookup.collection is None:
            continue
        file = lookup.span.file if lookup.span is not None else lookup.path
        if is_own(file):
            out.append(AppTable(lookup, _name_file(lookup, text)))
    return sorted(out, key=lambda table: table.lookup.name)


def _name_file(lookup: Lookup, searches: str) -> str | None:
    if lookup.path is None:
        return None
    path = Path(lookup.path)
    if lookup.span is None or lookup.span.file is None or path.suffix.lower() == _MODEL:
        return path.name
    said = read_values(Path(lookup.span.file))
    day = str(said.get("modification_date") or said.get("date") or "").replace("-", "")
    kept = said.get("filename") or path.name in searches or _DATED.search(path.stem)
    if kept or not re.fullmatch(r"\d{8}", day):
        return path.name
    return f"{lookup.name}_{day}{path.suffix}"


def write_transform(table: AppTable) -> Stanza | None:
    """A lookup's definition; None for a file without one, and for a model, which the Machine
    Learning Toolkit finds by its name."""
    lookup = table.lookup
    if lookup.span is None or (table.filename or "").endswith(_MODEL):
        return None
    settings: dict[str, str] = {}
    if table.filename is not None:
        settings["filename"] = table.filename
    else:
        settings["collection"] = lookup.collection or lookup.name
        settings["external_type"] = "kvstore"
    if lookup.default_match is not None:
        settings["default_match"] = lookup.default_match
    settings["case_sensitive_match"] = write_truth(lookup.case_sensitive)
    if lookup.match_types:
        settings["match_type"] = ", ".join(f"{k}({n})" for n, k in lookup.match_types.items())
    if lookup.max_matches != _LIMIT:
        settings["max_matches"] = str(lookup.max_matches)
    if lookup.min_matches:
        settings["min_matches"] = str(lookup.min_matches)
    if lookup.fields:
        settings["fields_list"] = ", ".join(lookup.fields)
    return lookup.name, settings


def write_collections(tables: Sequence[AppTable]) -> Iterator[Stanza]:
    names = {t.lookup.collection for t in tables if t.filename is None and t.lookup.collection}
    for name in sorted(names):
        yield name, {"enforceTypes": "false", "replicate": "false"}


def write_stories(
    content: Content,
    detections: Sequence[Detection],
    naming: SearchNaming,
    identity: AppIdentity,
) -> Iterator[Stanza]:
    """What the use case library shows: the detections, and the stories that they belong to."""
    for detection in detections:
        yield _explain(detection, naming)
    tasks = [i for i in content.investigations if is_own(i.origin.file)]
    for task in tasks:
        settings = {
            "type": "investigation",
            "explanation": "none",
            "how_to_implement": task.how_to_implement or "none",
            "known_false_positives": "not defined",
            "earliest_time_offset": "14400",
            "latest_time_offset": "0",
        }
        yield f"savedsearch://{naming.task(task)}", settings
    for story in content.stories:
        if is_own(story.origin.file):
            searches = [naming.rule(d) for d in detections if story.name in d.tags.analytic_story]
            searches += [naming.task(t) for t in tasks if story.name in t.analytic_story]
            yield _tell(story, searches, identity)


def _explain(detection: Detection, naming: SearchNaming) -> Stanza:
    settings = {
        "type": "detection",
        "asset_type": detection.tags.asset_type,
        "confidence": "medium",
        "explanation": detection.description or detection.name,
        "how_to_implement": detection.how_to_implement or "none",
        "annotations": write_json(list_mappings(detection)),
        "known_false_positives": detection.known_false_positives or "none",
        "providing_technologies": "null",
    }
    return f"savedsearch://{naming.rule(detection)}", settings


def _tell(story: Story, searches: Sequence[str], identity: AppIdentity) -> Stanza:
    name, _, company = story.author.rpartition(", ")
    maintainer: Mapping[str, str] = {
        "company": company if name else identity.author_company,
        "email": identity.author_email,
        "name": name or story.author or identity.author_name,
    }
    settings = {
        "category": next(iter(story.category), "Uncategorized"),
        "last_updated": story.date.isoformat() if story.date else "",
        "version": str(story.version),
        "references": write_json(list(story.references)),
        "maintainers": write_json([maintainer]),
        "spec_version": "3",
        "searches": write_json(list(searches)),
        "description": story.description,
        "narrative": story.narrative or story.description,
    }
    return f"analytic_story://{story.name}", settings
