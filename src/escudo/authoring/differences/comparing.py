"""Two sides -> the elements that differ, and how; ``actions.diff`` and the store call it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from escudo.authoring.differences.elements import KINDS, Element, list_elements
from escudo.authoring.differences.field_changes import FieldChange, State, compare_values
from escudo.authoring.differences.logic import LogicChange, LogicComparer, Meaning
from escudo.authoring.differences.sides import Side
from escudo.content import Detection
from escudo.core.errors import Diagnostic, Severity

_DATES = frozenset({"version", "date", "modification_date", "creation_date", "created"})
"""Fields that say that an element was changed, and not what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementChange:
    """An element that only one side has, or that differs.

    ``overdue``: it was changed, and its version was not raised. ``file`` is that of the side
    that has it, the later one where both do.
    """

    kind: str
    name: str
    id: str
    state: State
    file: str
    versions: tuple[int | None, int | None]
    fields: tuple[FieldChange, ...] = ()
    logic: LogicChange | None = None
    overdue: bool = False
    before: Detection | None = None
    after: Detection | None = None

    @property
    def finds_other_rows(self) -> bool:
        """Whether it is a detection that may find other rows than before."""
        if self.before is None and self.after is None:
            return False
        return self.state is not State.CHANGED or (self.logic is not None and self.logic.differs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What differs between two sides, by kind and name; ``diagnostics``: errors of their files."""

    before: str
    after: str
    changes: tuple[ElementChange, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def overdue(self) -> tuple[ElementChange, ...]:
        return tuple(c for c in self.changes if c.overdue)

    def count(self, kind: str, state: State) -> int:
        return sum(c.kind == kind and c.state is state for c in self.changes)


def compare_sides(before: Side, after: Side) -> Comparison:
    """What differs, the first side being the earlier one."""
    old, new = list_elements(before), list_elements(after)
    logic = LogicComparer(before.content, after.content)
    changes: list[ElementChange] = []
    for kind in KINDS:
        for one, other in _pair(old[kind], new[kind]):
            change = _compare(one, other, logic, before, after)
            if change is not None:
                changes.append(change)
    errors = [
        d
        for side in (before, after)
        for d in side.content.diagnostics
        if d.severity is Severity.ERROR
    ]
    return Comparison(
        before=before.name,
        after=after.name,
        changes=tuple(changes),
        diagnostics=tuple(errors),
    )


def _pair(
    before: Sequence[Element], after: Sequence[Element]
) -> Iterator[tuple[Element | None, Element | None]]:
    """Elements of both sides that are one: of the same name, or else of the same id."""
    by_key = {e.key: e for e in before}
    by_id = {e.id: e for e in before if e.id}
    names = {e.key for e in after}
    taken: set[str] = set()
    pairs: list[tuple[Element | None, Element | None]] = []
    for element in after:
        other = by_key.get(element.key)
        if other is None and element.id in by_id and by_id[element.id].key not in names:
            other = by_id[element.id]
        if other is not None:
            taken.add(other.key)
        pairs.append((other, element))
    pairs += [(e, None) for e in before if e.key not in taken]
    yield from sorted(pairs, key=lambda pair: (pair[1] or pair[0] or before[0]).key)


def _compare(
    one: Element | None,
    other: Element | None,
    logic: LogicComparer,
    before: Side,
    after: Side,
) -> ElementChange | None:
    if one is None and other is not None:
        return _alone(other, State.ADDED, after.tell(other.file))
    if other is None and one is not None:
        return _alone(one, State.REMOVED, before.tell(one.file))
    assert one is not None
    assert other is not None
    fields = _compare_fields(one, other)
    changed = None
    if one.search is not None and other.search is not None:
        changed = logic.compare(one.search, other.search)
    if not fields and changed is None:
        return None
    return ElementChange(
        kind=other.kind,
        name=other.name,
        id=other.id,
        state=State.CHANGED,
        file=after.tell(other.file),
        versions=(one.version, other.version),
        fields=fields,
        logic=changed,
        overdue=_is_overdue(one, other, fields, changed),
        before=one.detection,
        after=other.detection,
    )


def _alone(element: Element, state: State, file: str) -> ElementChange:
    added = state is State.ADDED
    return ElementChange(
        kind=element.kind,
        name=element.name,
        id=element.id,
        state=state,
        file=file,
        versions=(None, element.version) if added else (element.version, None),
        before=None if added else element.detection,
        after=element.detection if added else None,
    )


def _compare_fields(one: Element, other: Element) -> tuple[FieldChange, ...]:
    """By the keys of YAML where both have them, by attributes where one is from an app."""
    if one.values is not None and other.values is not None:
        fields = compare_values(one.values, other.values)
    else:
        fields = compare_values(one.typed, other.typed)
    if one.table != other.table:
        fields = (*fields, FieldChange("rows", State.CHANGED, *_count_rows(one, other)))
    return fields


def _count_rows(one: Element, other: Element) -> tuple[Any, Any]:
    """How many rows went, and how many came."""
    old, new = Counter(one.table or ()), Counter(other.table or ())
    return f"-{(old - new).total()}", f"+{(new - old).total()}"


def _is_overdue(
    one: Element, other: Element, fields: Sequence[FieldChange], logic: LogicChange | None
) -> bool:
    if one.version is None or other.version is None:
        return False
    own = logic is not None and logic.meaning is Meaning.CHANGED
    said = any(field.path not in _DATES for field in fields)
    return other.version < one.version or (other.version == one.version and (own or said))
