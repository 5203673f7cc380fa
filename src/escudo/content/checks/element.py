"""A content file -> an element that checks read, and what all of them know of the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path

import yaml

from escudo.content.checks.attack_ids import AttackIds
from escudo.content.checks.value import Value, read_value
from escudo.content.element_files import ElementFile
from escudo.content.positions import find_in_scalar
from escudo.content.roots import CONFIG
from escudo.core.errors import Diagnostic, Severity, Span

OBSERVABLES, RBA, FINDINGS = 4, 5, 6
"""The formats of ESCU, by its version: risk in ``tags``, in ``rba``, in ``finding``."""

_OLD_TAGS = ("observable", "risk_score", "confidence", "impact", "required_fields", "message")
_OLD_LOOKUP = ("filename", "collection", "fields_list")


@dataclass(frozen=True)
class Element:
    """One element as its file has it. ``tags`` is where its tags are: ``tags``, or the top."""

    file: ElementFile = field(repr=False)
    root: Value
    format: int
    tags: Value

    @property
    def kind(self) -> str:
        return self.file.kind

    @property
    def name(self) -> str:
        return self.root.get("name").text

    @property
    def status(self) -> str:
        """``production`` where it says nothing."""
        return self.root.get("status").text or "production"

    @property
    def in_production(self) -> bool:
        return self.status == "production"

    @property
    def folder(self) -> Path:
        return Path(self.file.path).parent


@dataclass(frozen=True)
class Found:
    """What a check says of an element: where, what is wrong, what would be right."""

    place: Value | Span
    message: str
    hint: str | None = None
    severity: Severity | None = None
    """Instead of that of the check."""


@dataclass(frozen=True)
class Known:
    """What is known around the elements: names of each kind, the day, ATT&CK."""

    names: Mapping[str, frozenset[str]]
    """Kind -> the names of its elements, also of those that are only there to be referred to."""
    elements: Sequence[Element]
    """All that are checked."""
    today: date
    attack: AttackIds

    @cached_property
    def deployments(self) -> tuple[Element, ...]:
        return tuple(e for e in self.elements if e.kind == "deployment")


Find = Callable[[Element, Known], Iterator[Found]]


@dataclass(frozen=True)
class Check:
    """A row: what is looked for, under which code, in which formats.

    ``contract``: it matters to contentctl and its users only; where there is no ``contentctl.yml``,
    it is a warning.
    """

    code: str
    find: Find
    severity: Severity = Severity.ERROR
    since: int = OBSERVABLES
    contract: bool = True

    def run(self, element: Element, known: Known) -> Iterator[Diagnostic]:
        if element.format < self.since:
            return
        for found in self.find(element, known):
            severity = found.severity or self.severity
            if severity is Severity.ERROR and self.contract and not is_repository(element):
                severity = Severity.WARNING
            span = found.place if isinstance(found.place, Span) else found.place.span
            source = element.file.source if span.file == element.file.path else None
            yield Diagnostic(self.code, found.message, severity, span, found.hint, source)


def is_repository(element: Element) -> bool:
    """Whether a file is a part of a repository that contentctl builds: its root says how."""
    return (Path(element.file.root) / CONFIG).is_file()


def read_element(file: ElementFile) -> Element:
    root = read_value(file.path, file.node)
    tags = root.get("tags")
    version = _find_format(file.kind, root, tags)
    return Element(file, root, version, tags if tags.is_mapping else root)


def place_text(element: Element, value: Value, part: str) -> Span:
    """Where a part of a value stands in the file; where the value begins, if it is not in it."""
    if isinstance(value.node, yaml.ScalarNode):
        found = find_in_scalar(value.file, element.file.source, value.node, part)
        if found is not None:
            return found
    return value.span


def _find_format(kind: str, root: Value, tags: Value) -> int:
    if any(root.has(k) for k in ("creation_date", "modification_date", "finding")):
        return FINDINGS
    if kind == "detection":
        old = not root.has("rba") and any(k in _OLD_TAGS for k in tags.keys)
        return OBSERVABLES if old else RBA
    if kind == "lookup":
        old = any(root.has(k) for k in _OLD_LOOKUP) or not root.has("lookup_type")
        return OBSERVABLES if old else RBA
    if kind in ("story", "baseline", "investigation") and not root.has("status"):
        return OBSERVABLES
    return RBA
