"""Two searches with what they use -> whether they mean the same, and through what not;
``comparing`` calls it.

Trees are compared, macros expanded: neither layout, comments, nor the case of keywords counts.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from escudo.authoring.differences.elements import read_rows
from escudo.authoring.used_names import find_lookups, find_macros, group_macros
from escudo.content import Content
from escudo.content.knowledge import EVERYTHING
from escudo.core.catalog import Lookup, Macro
from escudo.core.errors import EscudoError
from escudo.spl import Pipeline, format_text
from escudo.spl.macros import expand
from escudo.spl.parse import parse


class Meaning(StrEnum):
    """How a search's own text changed."""

    SAME = "same"
    LAYOUT = "layout"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class LogicChange:
    """``through`` names the macros and lookups that make a search another one; ``lines`` are the
    lines of its own laid-out text that came and went, as ``diff`` has them."""

    meaning: Meaning
    through: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()

    @property
    def differs(self) -> bool:
        return self.meaning is Meaning.CHANGED or bool(self.through)


class Logic:
    """The searches of one side. Each is expanded and parsed at most once."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._expanded: dict[str, str | None] = {}
        self._trees: dict[str, Pipeline | None] = {}

    @cached_property
    def macros(self) -> Mapping[str, Sequence[Macro]]:
        return group_macros(self._content.macros)

    def lookup(self, name: str) -> Lookup | None:
        return self._content.knowledge.lookup(name)

    def list_lookups(self) -> Sequence[str]:
        return self._content.knowledge.lookups()

    def expand(self, text: str) -> str | None:
        """The search with its macros expanded; None where one is not known."""
        if text not in self._expanded:
            try:
                self._expanded[text] = expand(text, self._content.knowledge).text
            except EscudoError:
                self._expanded[text] = None
        return self._expanded[text]

    def tree(self, text: str) -> Pipeline | None:
        """The search's tree; None where it has none."""
        if text not in self._trees:
            expanded = self.expand(text)
            try:
                self._trees[text] = parse(expanded) if expanded is not None else None
            except EscudoError:
                self._trees[text] = None
        return self._trees[text]


class LogicComparer:
    """Compares searches of two sides. What both sides have alike is found out once."""

    def __init__(self, before: Content, after: Content) -> None:
        self._old, self._new = Logic(before), Logic(after)

    def compare(self, before: str, after: str) -> LogicChange | None:
        """How a search changed; None where it is the same to the letter, with all that it uses."""
        through = tuple(self._list_changed_uses(before, after))
        if before == after:
            return LogicChange(Meaning.SAME, through) if through else None
        if _same_tree(before, after, self._new):
            return LogicChange(Meaning.LAYOUT, through)
        return LogicChange(Meaning.CHANGED, through, tuple(list_lines(before, after)))

    @cached_property
    def _changed_macros(self) -> frozenset[str]:
        names = {*self._old.macros, *self._new.macros}
        old, new = self._old.macros, self._new.macros
        return frozenset(n for n in names if _differ(old.get(n, ()), new.get(n, ())))

    @cached_property
    def _changed_lookups(self) -> frozenset[str]:
        names = {*self._old.list_lookups(), *self._new.list_lookups()}
        return frozenset(n for n in names if _table(self._old, n) != _table(self._new, n))

    def _list_changed_uses(self, before: str, after: str) -> list[str]:
        """The macros and lookups that both use and that are not the same for both.

        A macro whose text only is laid out anew makes no difference.
        """
        old, new = self._old, self._new
        used = find_macros(before, old.macros) & find_macros(after, new.macros)
        changed = sorted(used & self._changed_macros)
        if changed and before == after:
            trees = old.tree(before), new.tree(after)
            if trees[0] is not None and trees[0] == trees[1]:
                changed = []
        out = [f"macro {name}" for name in changed]
        first, second = old.expand(before) or before, new.expand(after) or after
        if any(name in first and name in second for name in self._changed_lookups):
            both = find_lookups(first) & find_lookups(second)
            out += [f"lookup {name}" for name in sorted(both & self._changed_lookups)]
        return out


def _same_tree(before: str, after: str, side: Logic) -> bool:
    """Whether two texts mean the same to one side; by their layout where they cannot be parsed."""
    if lay_out(before) == lay_out(after):
        return True
    one, other = side.tree(before), side.tree(after)
    return one is not None and one == other


def lay_out(text: str) -> str:
    """The text laid out, as it is where that cannot be."""
    try:
        return format_text(text)
    except EscudoError:
        return text


def list_lines(before: str, after: str) -> list[str]:
    """The lines of two laid-out texts, those of one only with ``-`` or ``+`` before them."""
    old, new = lay_out(before).splitlines(), lay_out(after).splitlines()
    return list(difflib.unified_diff(old, new, lineterm="", n=1))[2:]


def _differ(before: Sequence[Macro], after: Sequence[Macro]) -> bool:
    def describe(macros: Sequence[Macro]) -> set[tuple[object, ...]]:
        return {(m.arguments, m.is_eval, lay_out(m.definition)) for m in macros}

    # A filter that nobody defines lets everything pass, as one that says so.
    everything = {((), False, EVERYTHING)}
    return (describe(before) or everything) != (describe(after) or everything)


def _table(side: Logic, name: str) -> object:
    lookup = side.lookup(name)
    if lookup is None:
        return None
    match_types = tuple(sorted(lookup.match_types.items()))
    return (
        *(lookup.collection, lookup.fields, match_types, lookup.case_sensitive),
        *(lookup.min_matches, lookup.max_matches, lookup.default_match, read_rows(lookup)),
    )
