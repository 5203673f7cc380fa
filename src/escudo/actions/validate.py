"""Content, a lake -> what is wrong in its files, and which of its searches cannot run; called by
``escudo validate``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from escudo.actions.content_searches import KINDS, ContentSearch, is_judged, list_searches
from escudo.actions.source_fields import Reads, SourceFields, list_reads
from escudo.actions.validation_report import Validation, Verdicts
from escudo.actions.workspace import Workspace
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
_UNKNOWN = {"SPL110": "macro", "SPL313": "lookup"}
_NAMED = re.compile(r"[`']([^`']+)[`']")


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
