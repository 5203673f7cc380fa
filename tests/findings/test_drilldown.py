from __future__ import annotations

import pytest

from escudo.core.errors import Diagnostic, EscudoError
from escudo.core.timerange import TimeRange
from escudo.findings.drilldown import FilledDrilldown, fill_drilldowns, find_window
from tests.findings.matches import match


def test_window_tokens_are_those_of_the_run() -> None:
    found = match({"dest": ["h"], "user": ["u"]}, window=TimeRange(1000.5, 2000))
    drilldowns = fill_drilldowns(found, 0)
    assert {(d.earliest, d.latest) for d in drilldowns} == {("1000.500", "2000.000")}
    assert find_window(drilldowns[0], 0.0) == TimeRange(1000.5, 2000.0)


def test_an_open_window() -> None:
    (first, _) = fill_drilldowns(match({"dest": ["h"], "user": ["u"]}), 0)
    assert (first.earliest, first.latest) == ("0.000", "+Infinity")
    assert find_window(first, 0.0) == TimeRange(None, None)


def test_relative_offsets() -> None:
    drilldown = FilledDrilldown("n", "s", "-1h@h", "1602155026")
    assert find_window(drilldown, 1602155026.6) == TimeRange(1602151200.0, 1602155026.0)


def test_the_original_search_is_put_in_as_run() -> None:
    found = match({"dest": ["h"], "user": ["u"]})
    (first, second) = fill_drilldowns(found, 0)
    assert first.search == f'{found.detection.search} | search dest = "h" user = "u"'
    assert 'normalized_risk_object IN ("h", "u")' in second.search


def test_fields_that_the_row_has_not() -> None:
    seen: list[Diagnostic] = []
    (first, _) = fill_drilldowns(match({"dest": ["h"]}), 0, report=seen.append)
    assert first.search.endswith('dest = "h" user = ""')
    assert {d.code for d in seen} == {"FND004"}


def test_a_row_that_is_not_there() -> None:
    with pytest.raises(EscudoError, match="FND101"):
        fill_drilldowns(match({"dest": ["h"]}), 1)


@pytest.mark.parametrize(
    ("earliest", "latest", "expected"),
    [
        ("7d", "0", TimeRange(1602155026.0 - 7 * 86400, 1602155026.0)),
        ("24h", "2h", TimeRange(1602155026.0 - 86400, 1602155026.0 + 7200)),
        ("0", "now", TimeRange(None, 1602155026.0)),
        ("-7d", "now", TimeRange(1602155026.0 - 7 * 86400, 1602155026.0)),
    ],
)
def test_offsets_count_from_the_finding(earliest: str, latest: str, expected: TimeRange) -> None:
    assert find_window(FilledDrilldown("n", "s", earliest, latest), 1602155026.0) == expected
