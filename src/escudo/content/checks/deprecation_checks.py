"""Checks of what is deprecated or removed: its entry in the mapping, and what replaces it.

ESCU 5 keeps the entries in ``removed/deprecation_mapping*.yml``, under the kind of element; ESCU 6
keeps each in the element, as ``deprecation_info``. contentctl asks for the mapping where
``enforce_deprecation_mapping_requirement`` is set; so does Escudo, and where there is a mapping.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from escudo.content.checks.element import FINDINGS, Element, Found, read_element
from escudo.content.checks.value import Value, read_value
from escudo.content.element_files import ElementFile
from escudo.content.loading import read_text
from escudo.content.reading import read_document, read_whole
from escudo.content.roots import CONFIG, FOLDERS
from escudo.core.errors import Diagnostic, Severity

CODE = "CON412"
FOLDER = "removed"
_MAPPING = "deprecation_mapping"
_ENDED = ("deprecated", "removed")
_SHORTEST_REASON = 6


@dataclass(frozen=True)
class Root:
    """What one content folder says of deprecation."""

    path: Path
    removed: Sequence[Element]
    entries: Mapping[str, Value]
    enforced: bool
    version: tuple[int, ...] | None
    problems: Sequence[Diagnostic]


def read_root(path: Path, label: str) -> Root:
    """The ``removed`` folder of a content folder, and what ``contentctl.yml`` says of it."""
    problems: list[Diagnostic] = []
    removed: list[Element] = []
    entries: dict[str, Value] = {}
    mapped = False
    for file in _list_files(path / FOLDER):
        text, unreadable = read_text(file)
        node, found = read_document(str(file), text)
        problems += [unreadable] if unreadable is not None else found.found
        if node is None or unreadable is not None:
            continue
        if file.stem.lower().startswith(_MAPPING):
            mapped = True
            problems += _read_entries(read_value(str(file), node), entries, text)
        else:
            kind = _find_kind(file, path)
            removed.append(read_element(ElementFile(str(file), kind, node, text, str(path), label)))
    text, _ = read_text(path / CONFIG) if (path / CONFIG).is_file() else ("", None)
    node = read_document(str(path / CONFIG), text)[0] if text else None
    config = read_value(str(path / CONFIG), node) if node is not None else None
    enforced = mapped
    version = None
    if config is not None:
        asked = config.get("enforce_deprecation_mapping_requirement").text.lower()
        enforced = enforced or asked == "true"
        version = _read_version(config.get("app").get("version").text)
    return Root(path, removed, entries, enforced, version, problems)


def _list_files(folder: Path) -> Iterator[Path]:
    for place, inner, names in os.walk(folder):
        inner.sort()
        for name in sorted(names):
            if name.lower().endswith((".yml", ".yaml")):
                yield Path(place, name)


def _find_kind(file: Path, root: Path) -> str:
    parts = file.relative_to(root / FOLDER).parts
    return FOLDERS.get(parts[0], "detection")


def _read_version(text: str) -> tuple[int, ...] | None:
    numbers = [read_whole(part) for part in text.split("-")[0].split(".")]
    known = tuple(number for number in numbers if number is not None)
    return known if len(known) == len(numbers) else None


def _read_entries(mapping: Value, entries: dict[str, Value], source: str) -> Iterator[Diagnostic]:
    for kind in mapping.keys:
        for entry in mapping.get(kind).members:
            name = entry.get("content")
            if not name.text:
                yield _tell(Found(entry, "the entry does not say which content it is"), source)
            elif name.text in entries:
                yield _tell(Found(name, f"{name.text!r} has two entries in the mapping"), source)
            else:
                entries[name.text] = entry


def _tell(found: Found, source: str | None) -> Diagnostic:
    severity = found.severity or Severity.ERROR
    assert isinstance(found.place, Value)
    return Diagnostic(CODE, found.message, severity, found.place.span, found.hint, source)


def check_deprecation(elements: Iterable[Element], root: Root) -> Iterator[Diagnostic]:
    """What is wrong with the deprecated and removed elements of one content folder."""
    yield from root.problems
    everything = [*elements, *root.removed]
    by_name: dict[str, list[Element]] = {}
    for element in everything:
        by_name.setdefault(element.name, []).append(element)
    for element in everything:
        for found in _check_element(element, root, by_name):
            yield _tell(found, element.file.source)
    for name, entry in root.entries.items():
        if name not in by_name:
            yield _tell(Found(entry.get("content"), f"there is no content {name!r}"), None)
        for found in _check_entry(entry, by_name):
            yield _tell(found, None)


def _check_element(
    element: Element, root: Root, by_name: Mapping[str, Sequence[Element]]
) -> Iterator[Found]:
    status = element.root.get("status")
    ended = element.status in _ENDED
    own = element.root.get("deprecation_info")
    entry = own if own.present else root.entries.get(element.name)
    if element in root.removed and element.status != "removed":
        yield Found(status, f"what is in {FOLDER}/ has the status removed, not {element.status}")
    if ended and entry is None:
        asked = root.enforced or element.format == FINDINGS
        yield Found(
            status,
            f"the {element.kind} is {element.status}, but nothing says why and since when",
            f"add an entry to {FOLDER}/{_MAPPING}.yml, or deprecation_info in the file",
            None if asked else Severity.INFO,
        )
    elif entry is not None and not ended:
        message = f"there is a deprecation of this {element.kind}, but it is {element.status}"
        yield Found(status, message)
    elif entry is not None and root.version is not None:
        until = _read_version(entry.get("removed_in_version").text)
        expected = "removed" if until is not None and root.version >= until else "deprecated"
        if until is not None and element.status != expected:
            yield Found(
                status,
                f"removed in {entry.get('removed_in_version').text}: in this version of the app"
                f" ({'.'.join(map(str, root.version))}) it is {expected}, not {element.status}",
            )
    if own.present:
        yield from _check_replacements(own, by_name)


def _check_entry(entry: Value, by_name: Mapping[str, Sequence[Element]]) -> Iterator[Found]:
    reason, until = entry.get("reason"), entry.get("removed_in_version")
    if len(reason.text) < _SHORTEST_REASON:
        yield Found(reason, "the entry does not say why", "add a reason")
    if _read_version(until.text) is None:
        message = f"removed_in_version {until.text!r} is no version"
        yield Found(until, message, "such as 5.10.0")
    yield from _check_replacements(entry, by_name)


def _check_replacements(entry: Value, by_name: Mapping[str, Sequence[Element]]) -> Iterator[Found]:
    for value in entry.get("replacement_content").members:
        elements = by_name.get(value.text, ())
        if not elements:
            yield Found(value, f"there is no content {value.text!r} that could replace it")
        elif not any(e.kind in ("detection", "story") for e in elements):
            message = f"{value.text!r} is a {elements[0].kind}: it replaces no other content"
            yield Found(value, message, "name a detection or a story")
        elif all(e.status in _ENDED for e in elements):
            yield Found(value, f"the replacement {value.text!r} is {elements[0].status} itself")
