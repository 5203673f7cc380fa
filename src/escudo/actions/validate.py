"""Content, a lake -> which of its searches cannot run, and why; called by ``escudo validate``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from escudo.actions.workspace import Workspace
from escudo.content import Content
from escudo.content.positions import relocate
from escudo.core.catalog import Catalog, Knowledge
from escudo.core.errors import Diagnostic, Severity, Span
from escudo.core.ordered_map import map_in_order
from escudo.detect.attempt import attempt
from escudo.engines.execute import Engine, run_search
from escudo.findings.tokens import Values, fill_search

KINDS = ("detections", "baselines", "investigations", "drilldowns")


@dataclass(frozen=True, slots=True)
class ContentSearch:
    """One search to check. ``place`` is where it stands in its file."""

    kind: str
    name: str
    text: str
    file: str
    place: Span | None


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


def list_searches(content: Content) -> Iterator[ContentSearch]:
    """The searches of the content that Escudo did not bring itself, tokens filled with a sample."""
    for detection in content.detections:
        if detection.origin.layer == "builtin":
            continue
        yield ContentSearch(
            "detections",
            detection.name,
            detection.search,
            detection.origin.file,
            detection.origin.search,
        )
        for drilldown in detection.drilldowns:
            yield ContentSearch(
                "drilldowns",
                f"{detection.name}: {drilldown.name}",
                fill_search(drilldown.search, _sample, detection.search),
                detection.origin.file,
                drilldown.span,
            )
    for kind, elements in (
        ("baselines", content.baselines),
        ("investigations", content.investigations),
    ):
        for element in elements:
            yield ContentSearch(
                kind,
                element.name,
                fill_search(element.search, _sample, ""),
                element.origin.file,
                element.origin.search,
            )


def _sample(_name: str) -> Values:
    """A value for any token; it looks like a number so that it fits everywhere."""
    return ("1",)


@dataclass(frozen=True)
class Validation:
    """How the searches of some content did, by kind; ``content`` says which files are bad."""

    verdicts: Mapping[str, Verdicts]
    content: Content

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
    def failed(self) -> bool:
        """Whether a file could not be loaded, or a search not be run."""
        return bool(self.bad_files) or any(v.failed for v in self.verdicts.values())

    def to_dict(self) -> dict[str, Any]:
        """The verdicts by kind, and ``files``: ``total``, ``loaded``, ``failed`` and ``told``."""
        return {
            **{kind: verdicts.to_dict() for kind, verdicts in self.verdicts.items()},
            "files": {
                "total": self.content.files,
                "loaded": self.content.files - self.content.failed_files,
                "failed": [_row(d) for d in self.bad_files],
                "told": [{"severity": d.severity.value, **_row(d)} for d in self.told],
            },
        }


def _row(diagnostic: Diagnostic) -> dict[str, Any]:
    span = diagnostic.span
    return {
        "file": span.file if span else None,
        "line": span.line if span else None,
        "column": span.column if span else None,
        "code": diagnostic.code,
        "message": diagnostic.message,
    }


def validate_content(
    workspace: Workspace,
    *,
    follow: Callable[[Sequence[ContentSearch]], Iterable[ContentSearch]] = iter,
) -> Validation:
    """Runs each search of the content over a lake (an empty one, say).

    What a search asks to be written (``Compiled.effects``) is not. ``follow`` is given the searches
    and yields them one by one (a progress bar).
    """
    searches = list(list_searches(workspace.content))
    return Validation(_judge(searches, workspace, follow), workspace.content)


def _judge(
    searches: Sequence[ContentSearch],
    workspace: Workspace,
    follow: Callable[[Sequence[ContentSearch]], Iterable[ContentSearch]],
) -> dict[str, Verdicts]:
    """A search that stands in several places (most drilldowns do) is run once."""
    out = {kind: Verdicts() for kind in KINDS}
    problems: dict[str, Diagnostic | None] = {}
    distinct: dict[str, ContentSearch] = {}
    for search in searches:
        distinct.setdefault(search.text, search)
    snapshot = workspace.lake.snapshot()
    engine = workspace.engine_of(snapshot)
    find_problem = partial(
        _find_problem,
        knowledge=workspace.knowledge,
        catalog=snapshot,
        engine=engine,
        now=workspace.now,
    )
    outcomes = map_in_order(find_problem, list(distinct.values()), threads=engine.at_once)
    for search in follow(searches):
        if search.text not in problems:
            problems[search.text] = next(outcomes)
        problem = problems[search.text]
        verdicts = out[search.kind]
        verdicts.total += 1
        if problem is not None:
            verdicts.failed.append((search, _point_into_file(problem, search)))
    return out


def _point_into_file(problem: Diagnostic, search: ContentSearch) -> Diagnostic:
    """The problem at its place in the file of a search; at the search's beginning where the file
    has it otherwise, with tokens or before an overlay's changes."""
    span = problem.span
    if span is None:
        return replace(problem, span=search.place)
    told = replace(problem, span=replace(span, file=search.file))
    found = relocate(told, search.text)
    if found is not told or search.place is None:
        return found
    return replace(told, span=search.place, source=None)


def _find_problem(
    search: ContentSearch, *, knowledge: Knowledge, catalog: Catalog, engine: Engine, now: float
) -> Diagnostic | None:
    run = partial(run_search, search.text, engine, catalog, knowledge, now=now, file=search.file)
    outcome = attempt(run, name=search.name, source=search.text)
    return outcome if isinstance(outcome, Diagnostic) else None
