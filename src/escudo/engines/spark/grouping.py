"""Rows as a data frame, work on their groups -> what Spark's workers make of them; the engine calls
it for commands that no SQL can say.

A task is given the rows of some groups, those whose keys have the same hash, and not of one: it
works on columns, and a group may be a row.
"""

from __future__ import annotations

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.functions import lit, monotonically_increasing_id, pmod, xxhash64
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

from escudo.engines.spark.delta_reader import quote
from escudo.spl import GroupWork

PARTS_A_CORE = 8
"""So that a task's rows fit into a worker: of 10^9 events on 100 cores a million."""
_PART = "part$"


def work_on_groups(rows: DataFrame, work: GroupWork, cores: int) -> pa.Table:
    """What the function gives for all groups, part by part. Rows that are sorted are numbered in
    their order, partition by partition."""
    names, number, function = dict(work.names), work.number, work.function

    def make(table: pa.Table) -> pa.Table:
        return function(table.rename_columns([names.get(c, c) for c in table.column_names]), number)

    numbered = rows.withColumn(number, monotonically_increasing_id())
    given = to_arrow_schema(numbered.schema)
    columns = make(given.empty_table()).schema
    # Names of fields may differ in case alone, which Spark's may not.
    wanted = pa.schema([f.with_name(f"c{n}") for n, f in enumerate(columns)])

    def run(part: pa.Table) -> pa.Table:
        made = make(part.drop_columns([_PART]).sort_by(number))
        return made.rename_columns(wanted.names).cast(wanted)

    part = pmod(xxhash64(*(numbered[quote(key)] for key in work.keys)), lit(PARTS_A_CORE * cores))
    grouped = numbered.withColumn(_PART, part).groupBy(_PART)
    return (
        grouped.applyInArrow(run, from_arrow_schema(wanted)).toArrow().rename_columns(columns.names)
    )
