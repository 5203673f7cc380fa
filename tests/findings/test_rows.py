from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escudo.core.schema import Column, FieldType, TableSchema
from escudo.findings.rows import hash_rows
from escudo.lake.table_rows import lay_out

PLAIN = TableSchema(
    "t",
    (
        Column("a", physical="a", lower="a_lc"),
        Column("A", physical="A__1"),
        Column("m", FieldType.MULTIVALUE, physical="m"),
        Column("n", FieldType.INTEGER, physical="n"),
        Column("t", FieldType.TIME, physical="t"),
        Column("c", expr="a"),
    ),
)


def test_fields_go_to_their_columns_in_their_types() -> None:
    laid = lay_out(
        {
            "a": pa.array(["X"]),
            "A": pa.array([5.0]),
            "m": pa.array(["v"]),
            "n": pa.array([1.0]),
            "t": pa.array([1.5]),
        },
        PLAIN,
    )
    (row,) = laid.to_pylist()
    assert row["t"].timestamp() == 1.5
    del row["t"]
    assert row == {"a": "X", "a_lc": "x", "A__1": "5", "m": ["v"], "n": 1}


def test_fields_without_a_place() -> None:
    with pytest.raises(ValueError, match="no place for zzz"):
        lay_out({"zzz": pa.array(["x"])}, PLAIN)


@pytest.mark.slow
@given(
    st.lists(
        st.dictionaries(st.sampled_from("abc"), st.none() | st.integers() | st.text(), min_size=1),
        min_size=1,
        max_size=5,
    )
)
def test_hashes_depend_on_the_values_alone(rows: list[dict[str, object]]) -> None:
    table = pa.table(
        {n: pa.array([None if r.get(n) is None else str(r.get(n)) for r in rows]) for n in "abc"}
    )
    turned = table.select(["c", "a", "b"])
    hashes = hash_rows("d", table).to_pylist()
    assert hash_rows("d", turned).to_pylist() == hashes
    texts = [str(r) for r in table.to_pylist()]
    assert len(set(hashes)) == len(set(texts))
