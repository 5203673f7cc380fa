"""The order of rows in a table's files."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from escudo.lake.layout import HOUR, Layout, arrange

_SCHEMA = pa.schema(
    [
        ("_time", pa.timestamp("us", tz="UTC")),
        ("_event_id", pa.int64()),
        ("name", pa.string()),
        ("other", pa.string()),
        ("never", pa.string()),
    ]
)
_NAMES = st.none() | st.sampled_from(["", "a", "B", "cmd.exe", "é"])


@given(
    st.lists(st.tuples(st.integers(-5 * HOUR, 5 * HOUR), _NAMES, _NAMES), max_size=40),
    st.integers(1, 4),
)
def test_rows_are_by_hour_and_names_the_rest_as_they_came(
    rows: list[tuple[int, str | None, str | None]], size: int
) -> None:
    listed = [
        {"_time": time, "_event_id": number, "name": name, "other": other, "never": None}
        for number, (time, name, other) in enumerate(rows)
    ]
    pieces = [
        pa.Table.from_pylist(listed[at : at + size], schema=_SCHEMA)
        for at in range(0, len(listed), size)
    ]
    table = pa.concat_tables(pieces) if pieces else _SCHEMA.empty_table()

    def key(number: int) -> tuple[object, ...]:
        time, *names = rows[number]
        return time // HOUR, *((n is None, (n or "").encode()) for n in names)

    arranged = arrange(table, Layout(_SCHEMA, {}, ("name", "other")))
    order = arranged["_event_id"].to_pylist()
    assert order == sorted(range(len(rows)), key=key)
    assert arranged.equals(table.take(pa.array(order, pa.int64())))
