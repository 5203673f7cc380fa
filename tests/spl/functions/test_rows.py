"""The tables of functions: complete, and each row sound."""

from __future__ import annotations

import pytest

from escudo.engines.capability import FunctionSupport, Support, function_support
from escudo.spl.functions import EvalFunction, eval_functions, stats_functions

# Search Reference 9.x, "Evaluation functions": the list of supported functions by category.
MANUAL_EVAL = """
bit_and bit_or bit_not bit_xor bit_shift_left bit_shift_right
case cidrmatch coalesce false if in like lookup match null nullif searchmatch true validate
ipmask printf toarray tobool todouble toint tomv tonumber toobject tostring
md5 sha1 sha256 sha512
now relative_time strftime strptime time
cluster getfields isarray isbool isdouble isint ismv isnotnull isnull isnum isobject isstr typeof
json_object json json_append json_array json_array_to_mv json_delete json_entries json_extend
json_extract json_extract_exact json_has_key_exact json_keys json_set json_set_exact json_valid
mv_to_json_array
abs ceiling exact exp floor ln log pi pow round sigfig sqrt sum
commands mvappend mvcount mvdedup mvfilter mvfind mvindex mvjoin mvmap mvrange mvsort mvzip split
avg max min random
len lower ltrim replace rtrim spath substr trim upper urldecode
acos acosh asin asinh atan atan2 atanh cos cosh hypot sin sinh tan tanh
"""

# Search Reference 9.x, "Statistical and charting functions"; rate_avg and rate_sum are of mstats.
MANUAL_STATS = """
avg count distinct_count estdc estdc_error exactperc max mean median min mode perc range stdev
stdevp sum sumsq upperperc var varp first last list values earliest earliest_time latest
latest_time per_day per_hour per_minute per_second rate
"""


def test_every_evaluation_function_of_the_manual_is_there() -> None:
    assert set(MANUAL_EVAL.split()) - set(eval_functions) == set()


def test_every_statistical_function_of_the_manual_is_there() -> None:
    assert set(MANUAL_STATS.split()) - set(stats_functions) == set()


@pytest.mark.parametrize("row", eval_functions.values(), ids=lambda r: r.name)
def test_eval_rows(row: EvalFunction) -> None:
    assert row.name == row.name.lower()
    assert row.most is None or row.least <= row.most
    assert row.url.startswith("https://docs.splunk.com/")
    assert row.page.endswith("unctions")


@pytest.mark.parametrize("row", function_support(), ids=lambda r: f"{r.kind} {r.name}")
def test_every_function_runs_on_both_engines(row: FunctionSupport) -> None:
    unsupported = {"cluster", "lookup"}
    expected = row.name in unsupported
    assert (row.duckdb is Support.NONE) is (row.spark is Support.NONE) is expected
