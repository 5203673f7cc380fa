"""Every case from the rows alone that a hunt takes for its candidates: the same result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import mkdtemp

import pytest

from escudo.core.timerange import TimeRange
from escudo.detect import candidates
from escudo.detect.candidates import gather_candidates
from escudo.detect.kept_searches import KeptSearches
from escudo.detect.screening import Screener
from escudo.engines.execute import Engine
from escudo.spl import Scan
from tests.conformance.cases import Case, all_cases
from tests.conformance.catalog import NOW
from tests.conformance.engines import ANY, make_world
from tests.shared_engine import engine_over

PARTS = 4


def _cases() -> Iterator[Case]:
    for case in all_cases():
        if case.spl is not None and case.error is None and case.zone == "UTC":
            yield case


@pytest.fixture(autouse=True)
def all_tables_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "LEAST_BYTES", 0)
    monkeypatch.setattr(candidates, "FEWEST", 1)


def _differs(case: Case, folder: Path) -> bool | None:
    """Whether candidates give other rows; None where the case has none."""
    assert case.spl is not None
    catalog, known = make_world(case, folder, "columns")
    engine: Engine = engine_over(catalog)
    detection = replace(ANY, search=case.spl)
    within = TimeRange(*case.within)
    screened = Screener().screen([detection], catalog, engine, known, within=within, now=NOW)
    gathered = gather_candidates(
        [detection],
        screened,
        catalog,
        engine,
        within=within,
        make_folder=lambda: mkdtemp(dir=folder),
    )
    if gathered is None:
        return None

    def find(engine_of: Callable[[Sequence[Scan]], Engine] | None) -> object:
        found = KeptSearches().run(
            detection, engine, catalog, known, within=within, now=NOW, choose_engine=engine_of
        )
        return found.rows.to_pylist(), str(found.effects)

    return find(partial(gathered.choose_engine, detection, engine)) != find(None)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_candidates_give_what_all_rows_give(part: int, tmp_path: Path) -> None:
    wrong, same = [], 0
    for number, case in enumerate([*_cases()][part::PARTS]):
        folder = tmp_path / str(number)
        folder.mkdir()
        differs = _differs(case, folder)
        same += differs is False
        if differs:
            wrong.append(case.id)
    assert wrong == []
    assert same > 50
