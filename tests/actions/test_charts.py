"""Which columns of a result are the points of a chart, and which its numbers."""

from __future__ import annotations

import pyarrow as pa
import pytest

from escudo.actions.charts import MOST_BARS, make_chart
from escudo.core.errors import EscudoError


def test_times_are_points_in_their_order() -> None:
    rows = pa.table({"_time": [60.0, 0.0, None], "web": [2.0, 1.0, 9.0], "mail": [None, 4.0, 9.0]})
    chart = make_chart(rows)
    assert (chart.over_time, chart.points, chart.left_out) == (True, (0.0, 60.0), 1)
    assert chart.series == (("web", (1.0, 2.0)), ("mail", (4.0, None)))


def test_names_are_points_and_a_share_is_no_series() -> None:
    top = pa.table({"host": ["a", "b"], "count": [3, 1], "percent": [75.0, 25.0]})
    chart = make_chart(top)
    assert (chart.axis, chart.points) == ("host", ("a", "b"))
    assert chart.series == (("count", (3.0, 1.0)),)


def test_several_names_are_one_point() -> None:
    rows = pa.table({"host": ["a"], "user": ["bob"], "count": [3]})
    assert make_chart(rows).points == ("a · bob",)


def test_numbers_that_are_names_stay_names() -> None:
    rows = pa.table({"EventID": ["1", "4688"], "count": [3, 1]})
    chart = make_chart(rows)
    assert (chart.axis, chart.points) == ("EventID", ("1", "4688"))


def test_a_number_alone_is_a_bar() -> None:
    chart = make_chart(pa.table({"count": [7]}))
    assert (chart.points, chart.series) == (("",), (("count", (7.0,)),))


def test_many_names_are_cut_and_counted() -> None:
    rows = pa.table({"host": [str(n) for n in range(60)], "count": list(range(60))})
    chart = make_chart(rows)
    assert (len(chart.points), len(chart.series[0][1])) == (MOST_BARS, MOST_BARS)
    assert chart.left_out == 10


@pytest.mark.parametrize(
    "rows",
    [
        pa.table({"host": pa.array([], pa.string()), "count": pa.array([], pa.int64())}),
        pa.table({"host": ["a"], "user": ["b"]}),
        pa.table({"_time": pa.array([None], pa.float64()), "host": ["a"]}),
    ],
    ids=["no row", "no number", "no time"],
)
def test_what_cannot_be_drawn(rows: pa.Table) -> None:
    with pytest.raises(EscudoError, match="CLI022"):
        make_chart(rows)
