"""The time of a row is that of its events, whatever the search kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escudo import content
from escudo.core.timerange import ALL_TIME
from escudo.detect import Match, run_detections
from escudo.detect.row_times import date_matches, read_time, read_times
from escudo.findings.rows import date_rows
from tests.conformance.catalog import NOW, RowsCatalog
from tests.shared_engine import engine_over

OWN = content.load()
ANY = OWN.detection("Process Execution via WMI")
FIRST, LAST = NOW - 90_000.0, NOW - 80_000.0


@pytest.fixture
def catalog(tmp_path: Path) -> RowsCatalog:
    made = RowsCatalog(tmp_path)
    made.events([{"_time": FIRST, "a": "1"}, {"_time": LAST, "a": "1"}])
    return made


def dated(search: str, catalog: RowsCatalog) -> Match:
    engine = engine_over(catalog)
    (match,) = run_detections(
        [replace(ANY, search=search)], catalog, engine, OWN.knowledge, within=ALL_TIME, now=NOW
    )
    assert match.diagnostics == ()
    return date_matches([match], catalog, engine)[0]


@pytest.mark.parametrize(
    ("search", "times"),
    [
        ("index=* | stats count BY a", [LAST]),
        ("index=* | table _time a", [LAST, FIRST]),
        ("index=* | table a", [LAST, FIRST]),
        ("index=* | stats min(_time) AS firstTime BY a", [FIRST]),
        ('index=* | stats max(_time) AS lastTime BY a | eval lastTime=strftime(lastTime, "%FT%T")',
         [LAST]),
        ("| makeresults | eval a=1 | table a", [None]),
    ],
)  # fmt: skip
def test_times(search: str, times: list[float | None], catalog: RowsCatalog) -> None:
    match = dated(search, catalog)
    assert match.times is not None
    assert match.times.to_pylist() == pytest.approx(times)


def test_a_row_that_no_event_made_has_the_time_of_the_run(catalog: RowsCatalog) -> None:
    (time,) = date_rows(dated("| makeresults | eval a=1 | table a", catalog)).to_pylist()
    assert time == pytest.approx(NOW, abs=0.01)


def test_a_match_without_rows_stays_as_it_is(catalog: RowsCatalog) -> None:
    match = dated("index=* a=nothing | stats count BY a", catalog)
    assert match.rows.num_rows == 0
    assert date_rows(match).to_pylist() == []


MOMENTS = st.one_of(
    st.datetimes().map(lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%S")),
    st.sampled_from(
        ["2024-02-30T00:00:00", "2024-05-15T24:00:00", "0000-01-01T00:00:00", "2024-05-15", "-1d"]
    ),
    st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\n?", fullmatch=True),
    st.none(),
)


@given(st.lists(MOMENTS, max_size=4))
def test_times_of_a_column_are_those_of_its_values(values: list[str | None]) -> None:
    column = pa.chunked_array([pa.array(values, pa.string())])
    assert read_times(column, NOW).to_pylist() == [read_time(value, NOW) for value in values]


def test_numbers_are_epoch_seconds() -> None:
    assert read_times(pa.chunked_array([[1, None]]), NOW).to_pylist() == [1.0, None]
    assert read_times(pa.chunked_array([[1.5, None]]), NOW).to_pylist() == [1.5, None]
    large = 2**60 + 1
    assert read_times(pa.chunked_array([[large]]), NOW).to_pylist() == [float(large)]
