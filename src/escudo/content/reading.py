"""YAML mappings -> typed fields, every problem with its place; the readers of elements call it.

The nodes come from libyaml's composer, which gives a line and a column for each of them, and is as
fast as its plain loader; the values are turned into Python only where they are asked for.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import yaml

from escudo.core.errors import Diagnostic, Severity, Span
from escudo.core.yaml_depth import DEEPEST, find_deep_line

_NULL = "tag:yaml.org,2002:null"
_BOOLEANS: Mapping[str, bool] = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}
_UNKNOWN = frozenset({"CON105", "CON107"})
"""Keys, and files, that have no effect."""
_INTEGER = re.compile(r"[+-]?\d+(\.0*)?")
_MOST_DIGITS = 18
"""Characters of a whole number: no version, count or score has more."""


def read_whole(text: str) -> int | None:
    """The whole number that a text says; None where it says none, or one that nothing can be.

    >>> read_whole(" 25.0 "), read_whole("2.5"), read_whole("\u00b2"), read_whole("9" * 5000)
    (25, None, None, None)
    """
    bare = text.strip()
    if not _INTEGER.fullmatch(bare) or len(bare) > _MOST_DIGITS:
        return None
    return int(float(bare))


@dataclass
class Problems:
    """The diagnostics of one file, as they are found; of a ``strict`` one a key that nobody knows
    is an error."""

    file: str
    source: str
    found: list[Diagnostic] = field(default_factory=list)
    strict: bool = False

    def add(
        self,
        code: str,
        message: str,
        span: Span | None = None,
        hint: str | None = None,
        severity: Severity = Severity.ERROR,
    ) -> None:
        if self.strict and code in _UNKNOWN:
            severity = Severity.ERROR
        self.found.append(Diagnostic(code, message, severity, span, hint, self.source))

    @property
    def failed(self) -> bool:
        return any(d.severity is Severity.ERROR for d in self.found)


def node_span(file: str, node: yaml.Node) -> Span:
    """The place of a YAML node; a value of several lines is marked on its first."""
    start, end = node.start_mark, node.end_mark
    if end.line != start.line:
        return Span(file, start.line + 1, start.column + 1, start.line + 1, start.column + 2)
    return Span(file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)


def read_document(
    file: str, source: str, *, strict: bool = False
) -> tuple[yaml.Node | None, Problems]:
    """The root node of a YAML text (None where it cannot be parsed) and what was wrong.

    >>> node, problems = read_document("a.yml", "name: [1")
    >>> print(node, problems.found[0].span)
    None a.yml:2:1
    """
    problems = Problems(file, source, strict=strict)
    if (line := find_deep_line(source)) is not None:
        message = f"nested more than {DEEPEST} levels deep"
        problems.add("CON108", message, Span(file, line, 1, line, 2))
        return None, problems
    try:
        return yaml.compose(source, Loader=yaml.CSafeLoader), problems
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        span = Span(file, line, column, line, column + 1)
        problems.add("CON101", error.problem or "not valid YAML", span)
    except (yaml.YAMLError, ValueError) as error:
        problems.add("CON101", " ".join(str(error).split()), Span(file, 1, 1, 1, 2))
    return None, problems


class Section:
    """One mapping of a file. Each reading method marks its key as known.

    >>> node, problems = read_document("a.yml", "name: x\\nversion: two\\ncolour: red\\n")
    >>> section = Section(node, problems)
    >>> section.text("name"), section.integer("version", 1)
    ('x', 1)
    >>> section.finish()
    >>> [f"{d.span} {d.code} {d.message}" for d in problems.found]
    ['a.yml:2:10 CON102 version must be a whole number', "a.yml:3:1 CON105 unknown key 'colour'"]
    """

    def __init__(self, node: yaml.Node, problems: Problems, path: str = "") -> None:
        self._problems = problems
        self._path = path
        self._node = node
        self._known: set[str] = set()
        self._items: dict[str, tuple[yaml.ScalarNode, yaml.Node]] = {}
        if not isinstance(node, yaml.MappingNode):
            problems.add("CON102", f"{path or 'the file'} must be a mapping", self.place(node))
            return
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                problems.add("CON102", "a key must be text", self.place(key))
            elif key.value in self._items:
                problems.add("CON106", f"key {key.value!r} occurs twice", self.place(key))
            else:
                self._items[key.value] = (key, value)

    def place(self, node: yaml.Node) -> Span:
        return node_span(self._problems.file, node)

    @property
    def span(self) -> Span:
        return self.place(self._node)

    @property
    def keys(self) -> Sequence[str]:
        return tuple(self._items)

    def span_of(self, key: str) -> Span:
        """The place of a key's value, or of the mapping where there is no such key."""
        return self.place(self._items[key][1]) if key in self._items else self.span

    def has(self, key: str) -> bool:
        """Whether a key is there with a value other than null."""
        self._known.add(key)
        node = self._items.get(key)
        return node is not None and node[1].tag != _NULL

    def problem(
        self,
        code: str,
        message: str,
        key: str | None = None,
        hint: str | None = None,
        severity: Severity = Severity.ERROR,
    ) -> None:
        span = self.span_of(key) if key is not None else self.span
        self._problems.add(code, message, span, hint, severity)

    def text(self, key: str, default: str | None = None) -> str:
        """A scalar as text; without a default a missing or empty one is an error."""
        if self.has(key):
            value = self._scalar(self._items[key][1], key)
            if value is not None and (value.strip() or default is not None):
                return value
            if value is None:
                return default or ""
        if default is None:
            self.problem("CON103", f"{self._path}{key} is missing", key if self.has(key) else None)
        return default or ""

    def choice(self, key: str, allowed: Sequence[str], default: str | None = None) -> str:
        """A scalar that must be one of a few words (compared without regard to case)."""
        value = self.text(key, default)
        for word in allowed:
            if word.lower() == value.strip().lower():
                return word
        if self.has(key):
            near = difflib.get_close_matches(value, allowed, 1)
            self.problem(
                "CON104",
                f"{self._path}{key} is {value!r}; allowed: {', '.join(allowed)}",
                key,
                f"did you mean {near[0]!r}?" if near else None,
            )
        return default if default is not None else allowed[0]

    def integer(self, key: str, default: int) -> int:
        number = self.whole(key)
        return default if number is None else number

    def whole(self, key: str) -> int | None:
        """A whole number, or None where the key is missing or its value is not one."""
        if not self.has(key):
            return None
        number = read_whole(self._scalar(self._items[key][1], key) or "")
        if number is None:
            self.problem("CON102", f"{self._path}{key} must be a whole number", key)
        return number

    def score(self, key: str) -> int | None:
        """A risk score, 0 to 100; a fraction is cut off, as risk scores are whole numbers."""
        if not self.has(key):
            return None
        value = (self._scalar(self._items[key][1], key) or "").strip()
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if 0 <= number <= 100:
            return int(number)
        self.problem("CON102", f"{self._path}{key} must be a number from 0 to 100", key)
        return None

    def boolean(self, key: str, default: bool, severity: Severity = Severity.ERROR) -> bool:
        if not self.has(key):
            return default
        value = self._scalar(self._items[key][1], key) or ""
        truth = _BOOLEANS.get(value.strip().lower())
        if truth is None:
            self.problem(
                "CON102", f"{self._path}{key} must be true or false", key, severity=severity
            )
            return default
        return truth

    def day(self, key: str) -> date | None:
        """An ISO date; a malformed one is only a warning, as nothing depends on it."""
        if not self.has(key):
            return None
        value = (self._scalar(self._items[key][1], key) or "").strip()
        try:
            return date.fromisoformat(value)
        except ValueError:
            message = f"{self._path}{key} must be a date (YYYY-MM-DD)"
            self.problem("CON102", message, key, severity=Severity.WARNING)
            return None

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of scalars; a single scalar is a list of one, null and missing are empty."""
        if not self.has(key):
            return ()
        node = self._items[key][1]
        members = node.value if isinstance(node, yaml.SequenceNode) else [node]
        values = (self._scalar(member, key) for member in members if member.tag != _NULL)
        return tuple(v.strip() for v in values if v is not None and v.strip())

    def section(self, key: str) -> Section | None:
        """A nested mapping, or None where there is none."""
        if not self.has(key):
            return None
        return Section(self._items[key][1], self._problems, f"{self._path}{key}.")

    def sections(self, key: str) -> tuple[Section, ...]:
        """A list of mappings; a single mapping is a list of one."""
        if not self.has(key):
            return ()
        node = self._items[key][1]
        if isinstance(node, yaml.MappingNode):
            members: Iterable[yaml.Node] = [node]
        elif isinstance(node, yaml.SequenceNode):
            members = node.value
        else:
            self.problem("CON102", f"{self._path}{key} must be a list of mappings", key)
            return ()
        return tuple(Section(m, self._problems, f"{self._path}{key}[].") for m in members)

    def mapping(self, key: str) -> dict[str, str]:
        """A nested mapping of text to text."""
        inner = self.section(key)
        return {k: inner.text(k, "") for k in inner.keys} if inner else {}

    def ignore(self, *keys: str) -> None:
        """Keys that are known and have no meaning here."""
        self._known.update(keys)

    def finish(self) -> None:
        """Report every key that no one asked for."""
        for key, (node, _) in self._items.items():
            if key in self._known:
                continue
            near = difflib.get_close_matches(key, self._known, 1, cutoff=0.8)
            self._problems.add(
                "CON105",
                f"unknown key '{self._path}{key}'",
                self.place(node),
                f"did you mean {near[0]!r}?" if near else None,
                Severity.WARNING if near else Severity.INFO,
            )

    def _scalar(self, node: yaml.Node, key: str) -> str | None:
        if isinstance(node, yaml.ScalarNode):
            return str(node.value)
        self._problems.add("CON102", f"{self._path}{key} must be text", self.place(node))
        return None
