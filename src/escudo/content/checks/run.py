"""All checks over the files of some content -> diagnostics, in the order of the files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from escudo.content.checks import (
    detection_checks,
    drilldown_checks,
    element_checks,
    lookup_checks,
    risk_checks,
    test_checks,
    word_checks,
)
from escudo.content.checks.attack_ids import AttackIds
from escudo.content.checks.deprecation_checks import check_deprecation, read_root
from escudo.content.checks.element import Check, Element, Known, is_repository, read_element
from escudo.content.collection import Content
from escudo.content.element_files import ElementFile
from escudo.content.roots import FOLDERS
from escudo.core.errors import Diagnostic, Severity, Span

_COMMON = (*element_checks.CHECKS, *word_checks.CHECKS)
CHECKS: Mapping[str, tuple[Check, ...]] = {
    "detection": (
        *_COMMON,
        *detection_checks.CHECKS,
        *risk_checks.CHECKS,
        *drilldown_checks.CHECKS,
        *test_checks.CHECKS,
    ),
    "baseline": (*_COMMON, *detection_checks.BASELINE_CHECKS),
    "investigation": _COMMON,
    "story": (*_COMMON, *detection_checks.STORY_CHECKS),
    "lookup": (*_COMMON, *lookup_checks.CHECKS),
    "macro": _COMMON,
    "data source": _COMMON,
    "deployment": (*_COMMON, *detection_checks.DEPLOYMENT_CHECKS),
}
"""Kind of element -> its checks."""


def build_known(
    files: Sequence[ElementFile], content: Content, *, today: date, attack: AttackIds
) -> Known:
    """What the checks know: the names of all content and of all files, loaded or not."""
    elements = [read_element(file) for file in files]
    names: dict[str, set[str]] = {kind: set() for kind in FOLDERS.values()}
    for element in elements:
        names[element.kind].add(element.name)
    names["detection"].update(d.name for d in content.detections)
    names["story"].update(s.name for s in content.stories)
    names["baseline"].update(b.name for b in content.baselines)
    names["data source"].update(s.name for s in content.data_sources)
    frozen = {kind: frozenset(n) for kind, n in names.items()}
    return Known(frozen, elements, today, attack)


def check_elements(known: Known) -> Iterator[Diagnostic]:
    """What the files of the elements have that a content repository would not accept."""
    for element in known.elements:
        for check in CHECKS[element.kind]:
            yield from check.run(element, known)
    yield from _find_doubles(known.elements)
    for path, elements in _group_by_root(known.elements).items():
        if not is_repository(elements[0]):
            continue
        root = read_root(Path(path), elements[0].file.label)
        yield from check_deprecation(elements, root)
        yield from _find_orphans(Path(path), elements)


def _group_by_root(elements: Iterable[Element]) -> dict[str, list[Element]]:
    out: dict[str, list[Element]] = {}
    for element in elements:
        out.setdefault(element.file.root, []).append(element)
    return out


def _find_orphans(root: Path, elements: Iterable[Element]) -> Iterator[Diagnostic]:
    files = (lookup_checks.find_file(e) for e in elements if e.kind == "lookup")
    used = frozenset(path.resolve() for path in files if path is not None)
    for path, message in lookup_checks.find_orphans(root, used):
        span = Span(str(path), 1, 1, 1, 1)
        hint = "add its YAML, or take the file out: it would go into the app"
        yield Diagnostic("CON466", message, Severity.ERROR, span, hint)


def _find_doubles(elements: Iterable[Element]) -> Iterator[Diagnostic]:
    """Elements of several kinds with one name, or of any with one id; loading says (CON201) what
    has the name of another of its kind, and which detections have one id."""
    names: dict[str, Element] = {}
    ids: dict[str, Element] = {}
    for element in elements:
        named = names.setdefault(element.name, element)
        if element.name and named.kind != element.kind:
            message = f"the {named.kind} in {named.file.path} has the name {element.name!r}, too"
            yield _double(element, "name", message)
        identity = element.root.get("id").text.lower()
        if not identity:
            continue
        other = ids.setdefault(identity, element)
        told = element.kind == other.kind and (
            element.kind == "detection" or element.name.lower() == other.name.lower()
        )
        if other is not element and not told:
            yield _double(element, "id", f"{other.kind} {other.name!r} has the id {identity}, too")


def _double(element: Element, key: str, message: str) -> Diagnostic:
    place = element.root.get(key).span
    hint = "a name and an id stand for one element of all content"
    return Diagnostic("CON407", message, Severity.ERROR, place, hint, element.file.source)
