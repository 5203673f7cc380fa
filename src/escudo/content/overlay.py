"""Local changes in files beside content -> the content with them; ``collection`` calls it.

An overlay is a folder. Ordinary content files in it (macros, lookups, detections, ...) replace
those of the same name. A file with a ``change`` key changes one detection, a list below
``changes`` several:

    change: Process Execution via WMI        # name or id
    enabled: true
    filter: search NOT user="SYSTEM"         # what its filter macro says
    risk_score: 60                           # for all its risk objects
    scheduling:
      cron_schedule: "*/5 * * * *"
      earliest_time: -15m@m
      latest_time: -5m@m
    throttling: {fields: [dest, user], period: 24h}
    replace:                                 # text of the search, such as a threshold
    - {from: "count > 10", to: "count > 25"}

A ``replace`` must match the search exactly once; so a change of upstream cannot make it go astray.
A key that is not known is an error, in an ordinary file of an overlay, too; what has an error in it
changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from escudo.content.elements.common import Schedule
from escudo.content.elements.deployment import read_schedule
from escudo.content.elements.detection import Detection, Throttling, read_throttling
from escudo.content.loading import Layer, load_layer, read_text, yaml_files
from escudo.content.reading import Problems, Section, read_document
from escudo.core.catalog import Macro
from escudo.core.errors import Diagnostic, EscudoError, Severity, Span


@dataclass(frozen=True, slots=True)
class Replacement:
    old: str
    new: str
    span: Span | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The changes to one detection; None leaves things as they are."""

    target: str
    span: Span | None
    source: str
    enabled: bool | None
    filter: str | None
    risk_score: int | None
    schedule: Schedule | None
    throttling: Throttling | None
    replacements: tuple[Replacement, ...]


@dataclass(frozen=True, slots=True)
class Overlay:
    """The content files of an overlay, and its changes."""

    layer: Layer
    changes: tuple[Change, ...]


def load_overlay(folder: Path) -> Overlay:
    """Read an overlay; problems in its files are in the layer's diagnostics.

    Raises:
        EscudoError: CON001 where the folder does not exist.
    """
    if not folder.exists():
        raise EscudoError("CON001", f"{folder} does not exist")
    changes: list[Change] = []
    problems: list[Diagnostic] = []
    taken: set[Path] = set()
    failed = 0
    for file in yaml_files(folder):
        text, _ = read_text(file)
        node, file_problems = read_document(str(file), text, strict=True)
        if node is None or not _has_changes(node):
            continue
        taken.add(file)
        changes += _read_changes(node, file_problems)
        problems += file_problems.found
        failed += file_problems.failed
    layer = load_layer(folder, skip=taken, strict=True)
    layer.diagnostics += problems
    layer.files += len(taken)
    layer.failed_files += failed
    return Overlay(layer, tuple(changes))


def _has_changes(node: yaml.Node) -> bool:
    return isinstance(node, yaml.MappingNode) and any(
        key.value in ("change", "changes") for key, _ in node.value
    )


def _read_changes(node: yaml.Node, problems: Problems) -> Iterator[Change]:
    """The changes of a file, without those that have an error in them."""
    section = Section(node, problems)
    several = section.has("changes")
    for part in section.sections("changes") if several else (section,):
        before = len(problems.found)
        change = _read_change(part, problems.source)
        if not any(d.severity is Severity.ERROR for d in problems.found[before:]):
            yield change
    if several:
        section.finish()


def _read_change(section: Section, source: str) -> Change:
    replacements = []
    for item in section.sections("replace"):
        replacements.append(Replacement(item.text("from"), item.text("to", ""), item.span))
        item.finish()
    change = Change(
        target=section.text("change"),
        span=section.span_of("change"),
        source=source,
        enabled=section.boolean("enabled", True) if section.has("enabled") else None,
        filter=section.text("filter") if section.has("filter") else None,
        risk_score=section.score("risk_score"),
        schedule=read_schedule(section),
        throttling=read_throttling(section),
        replacements=tuple(replacements),
    )
    section.finish()
    return change


def apply_overlay(content: Layer, overlay: Overlay) -> None:
    """Make the changes; those that do not fit are reported and leave the detection as it was."""
    by_name: Mapping[str, str] = {
        alias.lower(): key for key, d in content.detections.items() for alias in (d.name, d.id)
    }
    failed = {
        d.span.file for d in overlay.layer.diagnostics if d.span and d.severity is Severity.ERROR
    }
    for change in overlay.changes:
        before = len(content.diagnostics)
        _make_change(content, change, by_name)
        file = change.span.file if change.span is not None else None
        if len(content.diagnostics) > before and file not in failed:
            content.failed_files += 1
            failed.add(file)


def _make_change(content: Layer, change: Change, by_name: Mapping[str, str]) -> None:
    """Makes one change, or reports that it does not fit."""
    key = by_name.get(change.target.strip().lower())
    if key is None:
        content.diagnostics.append(
            Diagnostic(
                "CON301",
                f"no detection is named {change.target!r}",
                span=change.span,
                source=change.source,
            )
        )
        return
    detection = content.detections[key]
    if change.filter is not None:
        name = detection.filter_macro
        content.macros[(name, 0)] = Macro(name, change.filter, span=change.span)
    content.detections[key] = _changed(detection, change, content.diagnostics)


def _changed(detection: Detection, change: Change, problems: list[Diagnostic]) -> Detection:
    search = detection.search
    for item in change.replacements:
        count = search.count(item.old)
        if count != 1:
            problems.append(
                Diagnostic(
                    "CON302",
                    f"{item.old!r} occurs {count} times in the search of {detection.name!r}",
                    span=item.span,
                    source=change.source,
                )
            )
            return detection
        search = search.replace(item.old, item.new)
    risk = detection.risk
    if risk is not None and change.risk_score is not None:
        objects = tuple(replace(o, score=change.risk_score) for o in risk.risk_objects)
        risk = replace(risk, risk_objects=objects)
    tags = detection.tags
    if change.throttling is not None:
        tags = replace(tags, throttling=change.throttling)
    return replace(
        detection,
        search=search,
        risk=risk,
        tags=tags,
        enabled=detection.enabled if change.enabled is None else change.enabled,
        schedule=change.schedule or detection.schedule,
    )
