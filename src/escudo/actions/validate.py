"""Content, a lake -> what is wrong in its files, and which of its searches cannot run; called by
``escudo validate``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from escudo.actions.content_searches import KINDS, ContentSearch, is_judged, list_searches
from escudo.actions.source_fields import Reads, SourceFields, list_reads
from escudo.actions.workspace import Workspace
from escudo.content import Content
from escudo.content.checks import (
    AttackIds,
    Element,
    build_known,
    check_elements,
    find_owner,
    is_repository,
)
from escudo.content.element_files import ElementFile
from escudo.content.positions import relocate
from escudo.core.catalog import Catalog, Knowledge
from escudo.core.errors import Diagnostic, Severity, Span
from escudo.core.ordered_map import map_in_order
from escudo.core.timerange import TimeRange
from escudo.detect.attempt import attempt
from escudo.engines.execute import Engine, Result, run_search
from escudo.findings.attack import load_techniques
from escudo.findings.named_fields import Output, check_named_fields
from escudo.spl.compile import Compiled, compile_search

_OTHER_APPS = frozenset({("SPL300", "another app"), ("SPL318", "Splunk's app")})
"""Codes, and words of their messages, of commands and models that come with other apps."""
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
_UNKNOWN = {"SPL110": "macro", "SPL313": "lookup"}
_NAMED = re.compile(r"[`']([^`']+)[`']")


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

    @property
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


def shipped_attack_ids() -> AttackIds:
    """The techniques of Escudo's own table; there are newer ones."""
    return AttackIds("Escudo's table of ATT&CK", frozenset(load_techniques()), {}, complete=False)


def validate_content(
    workspace: Workspace,
    *,
    files: Sequence[ElementFile] = (),
    attack: AttackIds | None = None,
    around: tuple[Path, ...] = (),
    follow: Callable[[Sequence[ContentSearch]], Iterable[ContentSearch]] = iter,
) -> Validation:
    """Checks the files of some content, and runs each of its searches over a lake (an empty one,
    say).

    What a search asks to be written (``Compiled.effects``) is not.

    Args:
        files: the files to check, as ``content.load`` keeps them.
        attack: the techniques that there are; those of Escudo's table by default.
        around: folders of content that is only there to be referred to.
        follow: is given the searches and yields them one by one (a progress bar).
    """
    content = workspace.content
    judged = [f for f in files if not any(Path(f.path).is_relative_to(p) for p in around)]
    today = datetime.fromtimestamp(workspace.now, UTC).date()
    attack = attack or shipped_attack_ids()
    known = build_known(judged, content, today=today, attack=attack)
    found = list(check_elements(known))
    searches = list(list_searches(content, now=workspace.now, around=around))
    run = _Run(workspace)
    verdicts = run.judge(searches, follow)
    elements = {e.file.path: e for e in known.elements}
    for detection in content.detections:
        element = elements.get(detection.origin.file)
        if element is not None and is_judged(detection.origin, around):
            found += run.check_bound(element, detection.search)
    repositories = {Path(e.file.root) for e in known.elements if is_repository(e)}
    return Validation(verdicts, content, found, around, tuple(repositories))


Key = tuple[str, TimeRange]


class _Run:
    """The searches as they were run: what was wrong, and what the rows of the others have."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._snapshot = workspace.lake.snapshot()
        self._bound: dict[str, tuple[Output, Reads]] = {}
        self._filled = SourceFields(workspace.lake.tables, workspace.content.data_sources)

    def judge(
        self,
        searches: Sequence[ContentSearch],
        follow: Callable[[Sequence[ContentSearch]], Iterable[ContentSearch]],
    ) -> dict[str, Verdicts]:
        """A search that stands in several places (most drilldowns do) is run once."""
        out = {kind: Verdicts() for kind in KINDS}
        problems: dict[Key, Diagnostic | None] = {}
        distinct: dict[Key, ContentSearch] = {}
        for search in searches:
            if isinstance(search.within, TimeRange):
                distinct.setdefault((search.text, search.within), search)
        engine = self._workspace.engine_of(self._snapshot)
        find_problem = partial(
            self._find_problem,
            knowledge=self._workspace.knowledge,
            catalog=self._snapshot,
            engine=engine,
            now=self._workspace.now,
        )
        outcomes = map_in_order(find_problem, list(distinct.values()), threads=engine.at_once)
        for search in follow(searches):
            verdicts = out[search.kind]
            verdicts.total += 1
            if isinstance(search.within, Diagnostic):
                verdicts.failed.append((search, search.within))
                continue
            key = (search.text, search.within)
            if key not in problems:
                problems[key] = next(outcomes)
            problem = problems[key]
            if problem is not None:
                verdicts.failed.append((search, _point_into_file(problem, search)))
        return out

    def _find_problem(
        self,
        search: ContentSearch,
        *,
        knowledge: Knowledge,
        catalog: Catalog,
        engine: Engine,
        now: float,
    ) -> Diagnostic | None:
        assert isinstance(search.within, TimeRange)
        run = partial(
            run_search,
            search.text,
            engine,
            catalog,
            knowledge,
            now=now,
            within=search.within,
            file=search.file,
        )
        outcome = attempt(run, name=search.name, source=search.text)
        if isinstance(outcome, Diagnostic):
            return _excuse(outcome)
        if search.kind == "detections":
            self._bound[search.text] = (_read_output(outcome), list_reads(outcome.compiled))
        return None

    def check_bound(self, element: Element, text: str) -> Iterator[Diagnostic]:
        """What of a detection names fields that its search, which could be run, does not return or
        that its data sources do not fill.

        Where columns come from the values of rows (``chart ... by``), nothing is said of the rows.
        """
        bound = self._bound.get(text)
        if bound is None:
            return
        output, reads = bound
        named = list(check_named_fields(element, output))
        if named and not self._depends_on_data(text):
            yield from named
        sources = element.root.get("data_source")
        for gap in self._filled.find_gaps(sources.texts, reads):
            yield Diagnostic(
                "CON450",
                f"the search reads what is not there: {gap}",
                Severity.WARNING,
                sources.span,
                "name the data source that has it, or read another field",
                element.file.source,
            )

    def _depends_on_data(self, text: str) -> bool:
        compiled: Compiled = compile_search(
            text, self._snapshot, self._workspace.knowledge, now=self._workspace.now
        )
        return bool(compiled.deferred)


def _read_output(result: Result) -> Output:
    compiled = result.compiled
    names = {name for name, *_ in compiled.output} | set(result.table.column_names)
    return Output(frozenset(names), open=compiled.rest is not None)


def _excuse(problem: Diagnostic) -> Diagnostic:
    """A problem that is another app's matter, as a warning."""
    if any(problem.code == code and words in problem.message for code, words in _OTHER_APPS):
        return replace(problem, severity=Severity.WARNING)
    kind = _UNKNOWN.get(problem.code)
    named = _NAMED.search(problem.message) if kind is not None else None
    owner = find_owner(kind, named[1]) if kind is not None and named is not None else None
    if owner is None or named is None:
        return problem
    return replace(
        problem,
        code="CON413",
        message=f"{kind} {named[1]!r} comes with {owner}",
        hint="the search cannot be run here without a definition of it",
        severity=Severity.WARNING,
    )


def _point_into_file(problem: Diagnostic, search: ContentSearch) -> Diagnostic:
    """The problem at its place in the file of a search; at the search's beginning where the file
    has it otherwise, before an overlay's changes."""
    if problem.span is None:
        return replace(problem, span=search.place)
    told = replace(problem, span=replace(problem.span, file=search.file))
    found = relocate(told, search.text)
    if found is told and search.written is not None:
        found = _point_into_template(told, search.text, search.written)
    if found is not told or search.place is None:
        return found
    return replace(told, span=search.place, source=None)


def _point_into_template(told: Diagnostic, filled: str, written: str) -> Diagnostic:
    """A problem of a search whose tokens were filled in, by the words at its place: as it is where
    they do not stand exactly once in what is written."""
    span = told.span
    lines = filled.splitlines()
    if span is None or span.line != span.end_line or span.line > len(lines):
        return told
    words = lines[span.line - 1][span.column - 1 : span.end_column - 1]
    if not words or written.count(words) != 1:
        return told
    before = written[: written.index(words)]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    place = Span(span.file, line, column, line, column + len(words))
    found = relocate(replace(told, span=place), written)
    return told if found.span == place else found
