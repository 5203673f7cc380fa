"""Compiles and runs every search of a content folder, and says which ones cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from escudo.content import Content
from escudo.core.catalog import Catalog, Knowledge
from escudo.core.errors import Diagnostic, EscudoError, Span
from escudo.core.ordered_map import map_ordered
from escudo.engines.execute import Engine, run_search
from escudo.findings.tokens import Values, fill_search

KINDS = ("detections", "baselines", "investigations", "drilldowns")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One search to check. ``place`` is where it stands in its file."""

    kind: str
    name: str
    search: str
    file: str
    place: Span | None


@dataclass(slots=True)
class Verdicts:
    """How the searches of one kind did."""

    total: int = 0
    failed: list[tuple[Candidate, Diagnostic]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """``total``, ``compiled`` and ``failed`` [{name, file, line, column, code, message}]."""
        return {
            "total": self.total,
            "compiled": self.total - len(self.failed),
            "failed": [
                {
                    "name": c.name,
                    "file": c.file,
                    "line": c.place.line if c.place else 1,
                    "column": d.span.column if d.span else 1,
                    "code": d.code,
                    "message": d.message,
                }
                for c, d in self.failed
            ],
        }


def candidates(content: Content) -> Iterator[Candidate]:
    """The searches of the content that Escudo did not bring itself, tokens filled with a sample."""
    for detection in content.detections:
        if detection.origin.layer == "builtin":
            continue
        yield Candidate(
            "detections",
            detection.name,
            detection.search,
            detection.origin.file,
            detection.origin.search,
        )
        for drilldown in detection.drilldowns:
            yield Candidate(
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
            yield Candidate(
                kind,
                element.name,
                fill_search(element.search, _sample, ""),
                element.origin.file,
                element.origin.search,
            )


def _sample(_name: str) -> Values:
    """A value for any token; it looks like a number so that it fits everywhere."""
    return ("1",)


def validate(
    searches: Sequence[Candidate],
    knowledge: Knowledge,
    catalog: Catalog,
    engine: Engine,
    *,
    now: float,
    follow: Callable[[Sequence[Candidate]], Iterable[Candidate]] = iter,
) -> dict[str, Verdicts]:
    """Runs each search over a catalog (an empty lake, say); what cannot be run is told why.

    What a search asks to be written (``Compiled.effects``) is not.

    A search that stands in several places (most drilldowns do) is run once. ``follow`` is given
    the searches and yields them one by one (a progress bar).
    """
    out = {kind: Verdicts() for kind in KINDS}
    problems: dict[str, Diagnostic | None] = {}
    distinct: dict[str, Candidate] = {}
    for candidate in searches:
        distinct.setdefault(candidate.search, candidate)
    one = partial(_problem, knowledge=knowledge, catalog=catalog, engine=engine, now=now)
    found = map_ordered(one, list(distinct.values()), threads=engine.at_once)
    for candidate in follow(searches):
        text = candidate.search
        if text not in problems:
            problems[text] = next(found)
        problem = problems[text]
        verdicts = out[candidate.kind]
        verdicts.total += 1
        if problem is not None:
            verdicts.failed.append((candidate, problem))
    return out


def _problem(
    candidate: Candidate, *, knowledge: Knowledge, catalog: Catalog, engine: Engine, now: float
) -> Diagnostic | None:
    try:
        run_search(candidate.search, engine, catalog, knowledge, now=now, file=candidate.file)
    except EscudoError as error:
        return error.diagnostic
    except Exception as error:  # a fault of ours in one search must not hide the others
        return Diagnostic("CLI005", f"{type(error).__name__}: {error}")
    return None
