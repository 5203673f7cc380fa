"""What a validation of content found -> its problems, once and in order; ``validate`` makes it,
``escudo validate`` shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from escudo.actions.content_searches import ContentSearch
from escudo.content import Content
from escudo.core.errors import Diagnostic, Severity

_MEANINGLESS = frozenset({"CON105", "CON107"})
"""Keys, and files, that have no effect."""
_OF_VALUES = frozenset({"CON102", "CON104", "CON202"})
"""What loading says of a value; a check that says something of the same place knows better."""
_RETOLD = (
    ("CON103", "id is missing", "CON401"),
    ("CON103", "rba.", "CON441"),
    ("CON103", "message", "CON443"),
    ("CON103", "title", "CON443"),
    ("CON103", "drilldown_searches[]", "CON444"),
    ("CON103", "tests[]", "CON448"),
    ("CON104", "ATT&CK technique id", "CON426"),
    ("CON104", "period", "CON431"),
    ("CON104", "match_type", "CON464"),
    ("CON201", "deployment", "CON425"),
    ("CON202", "beside the lookup", "CON461"),
)
"""Codes of loading, words of their messages, and the check that says the same of the file."""


@dataclass(slots=True)
class Verdicts:
    """How the searches of one kind did."""

    total: int = 0
    failed: list[tuple[ContentSearch, Diagnostic]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """``total``, ``compiled`` and ``failed`` [{name, file, line, column, code, message}]."""
        return {
            "total": self.total,
            "compiled": self.total - len(self.failed),
            "failed": [
                {
                    "name": s.name,
                    "file": s.file,
                    "line": d.span.line if d.span else 1,
                    "column": d.span.column if d.span else 1,
                    "code": d.code,
                    "message": d.message,
                }
                for s, d in self.failed
            ],
        }


@dataclass(frozen=True)
class Validation:
    """How the searches of some content did, by kind.

    ``content`` says which files are bad, ``checked`` what the checks of files and of named fields
    found. Of content in ``around`` nothing is said; ``repositories`` are built by contentctl,
    so that a file or a key without a meaning is an error there.
    """

    verdicts: Mapping[str, Verdicts]
    content: Content
    checked: Sequence[Diagnostic] = ()
    around: tuple[Path, ...] = ()
    repositories: tuple[Path, ...] = ()

    @property
    def bad_files(self) -> list[Diagnostic]:
        """What is wrong in files that could not be loaded."""
        return [d for d in self.content.diagnostics if d.severity is Severity.ERROR]

    @property
    def told(self) -> list[Diagnostic]:
        """What else there is to say of files: warnings, then what is only good to know."""
        rest = [d for d in self.content.diagnostics if d.severity is not Severity.ERROR]
        return sorted(rest, key=lambda d: d.severity is Severity.INFO)

    @cached_property
    def problems(self) -> list[Diagnostic]:
        """All that is wrong, once, in the order of the files."""
        searches = self._find_search_problems()
        judged = (d for d in self.content.diagnostics if not _is_below(d, self.around))
        loaded = (_rate(d, self.repositories) for d in _drop_retold(judged, self.checked))
        every = dict.fromkeys((*loaded, *self.checked, *searches))
        return sorted(every, key=_order)

    def _find_search_problems(self) -> Iterator[Diagnostic]:
        """What is wrong with searches; of a drilldown only what its detection has not itself."""
        own = {(s.file, d.code, d.message) for s, d in self.verdicts["detections"].failed}
        for kind, verdicts in self.verdicts.items():
            for search, problem in verdicts.failed:
                if kind != "drilldowns" or (search.file, problem.code, problem.message) not in own:
                    yield problem

    @property
    def failed(self) -> bool:
        """Whether anything is an error."""
        return any(d.severity is Severity.ERROR for d in self.problems)

    def to_dict(self, level: Severity = Severity.INFO) -> dict[str, Any]:
        """The verdicts by kind, ``files`` (``total``, ``loaded``, ``failed`` and ``told``), the
        ``counts`` of problems, and ``problems`` from a level on."""
        problems = self.problems
        counts = Counter(d.severity for d in problems)
        return {
            **{kind: verdicts.to_dict() for kind, verdicts in self.verdicts.items()},
            "files": {
                "total": self.content.files,
                "loaded": self.content.files - self.content.failed_files,
                "failed": [_row(d) for d in self.bad_files],
                "told": [{"severity": d.severity.value, **_row(d)} for d in self.told],
            },
            "counts": {severity.value: counts[severity] for severity in Severity},
            "problems": [
                {"severity": d.severity.value, **_row(d), "hint": d.hint}
                for d in select_level(problems, level)
            ],
        }


def select_level(problems: Iterable[Diagnostic], level: Severity) -> list[Diagnostic]:
    """The problems that matter at least so much."""
    ranks = list(Severity)
    return [d for d in problems if ranks.index(d.severity) <= ranks.index(level)]


def _order(diagnostic: Diagnostic) -> tuple[str, int, int, str]:
    span = diagnostic.span
    if span is None:
        return ("", 0, 0, diagnostic.code)
    return (span.file or "", span.line, span.column, diagnostic.code)


def _is_below(diagnostic: Diagnostic, folders: tuple[Path, ...]) -> bool:
    file = diagnostic.span.file if diagnostic.span is not None else None
    return file is not None and any(Path(file).is_relative_to(path) for path in folders)


def _rate(diagnostic: Diagnostic, repositories: tuple[Path, ...]) -> Diagnostic:
    """What loading passes over, as the error that it is in a repository."""
    if diagnostic.code in _MEANINGLESS and _is_below(diagnostic, repositories):
        return replace(diagnostic, severity=Severity.ERROR)
    return diagnostic


def _drop_retold(
    loaded: Iterable[Diagnostic], checked: Iterable[Diagnostic]
) -> Iterator[Diagnostic]:
    """What loading said, without what a check says better of the same place or key."""
    checked = list(checked)
    places = {_order(d)[:3] for d in checked}
    codes = {(d.span.file, d.code) for d in checked if d.span is not None}
    messages = {(*_order(d)[:3], d.message) for d in checked}
    for diagnostic in loaded:
        place = _order(diagnostic)[:3]
        if diagnostic.code in _OF_VALUES and place in places:
            continue
        if diagnostic.code == "CON103" and (*place, diagnostic.message) in messages:
            continue
        if any(
            diagnostic.code == code and words in diagnostic.message and (place[0], better) in codes
            for code, words, better in _RETOLD
        ):
            continue
        yield diagnostic


def _row(diagnostic: Diagnostic) -> dict[str, Any]:
    span = diagnostic.span
    return {
        "file": span.file if span else None,
        "line": span.line if span else None,
        "column": span.column if span else None,
        "code": diagnostic.code,
        "message": diagnostic.message,
    }
