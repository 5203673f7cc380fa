"""Name -> row of every evaluation and statistical function; lowering and grouping read them."""

from __future__ import annotations

from collections.abc import Mapping

from escudo.spl.functions.aggregate import STATISTICS, map_aggregates
from escudo.spl.functions.conditional import CONDITIONAL
from escudo.spl.functions.conversion import CONVERSION
from escudo.spl.functions.datetime import DATE_AND_TIME
from escudo.spl.functions.information import INFORMATION
from escudo.spl.functions.json import JSON
from escudo.spl.functions.maths import MATHS
from escudo.spl.functions.multivalue import MULTIVALUE
from escudo.spl.functions.row import EvalFunction, Params, StatsFunction, merge_tables
from escudo.spl.functions.text import TEXT

__all__ = [
    "EvalFunction",
    "Params",
    "StatsFunction",
    "eval_functions",
    "map_aggregates",
    "stats_functions",
]

eval_functions: Mapping[str, EvalFunction] = merge_tables(
    CONDITIONAL, CONVERSION, DATE_AND_TIME, INFORMATION, JSON, MATHS, MULTIVALUE, TEXT
)
"""Name -> row of every evaluation function."""

stats_functions: Mapping[str, StatsFunction] = {row.name: row for row in STATISTICS}
"""Name -> row of every statistical function; ``perc95`` is ``perc`` with a number."""
