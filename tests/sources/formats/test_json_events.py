from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escudo.sources.formats.json_columns import JsonLines, view_bytes
from escudo.sources.formats.json_leaves import read_by_line
from tests.sources.support import read_bytes
from tests.yaml_file import read_yaml

CASES = read_yaml(Path(__file__).parents[1] / "cases" / "json_events.yml")


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["name"])
def test_cases(case: dict[str, Any]) -> None:
    rows, rejected = read_bytes(case["text"].encode())
    assert [r.code for r in rejected] == case.get("rejected", [])
    _check(case, rows)


LINES = [c for c in CASES if "rejected" not in c and c["text"].startswith('{"')]


@pytest.mark.slow
@pytest.mark.parametrize("case", LINES, ids=lambda c: c["name"])
def test_many_lines_take_the_fast_way_to_the_same_rows(case: dict[str, Any]) -> None:
    lines = case["text"].strip("\n") + "\n"
    if lines.startswith(('{"Records"', '{"took"')):
        pytest.skip("not one object a line")
    rows, rejected = read_bytes((lines * 300).encode())
    assert rejected == []
    count = len(case["rows"])
    assert len(rows) == 300 * count
    order = {row["_raw"]: number for number, row in enumerate(read_bytes(lines.encode())[0])}
    rows.sort(key=lambda row: order[row["_raw"]])
    _check(case, rows[::300])


def _check(case: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    by_raw = {line.strip().rstrip(","): n for n, line in enumerate(case["text"].splitlines())}
    if all(row["_raw"] in by_raw for row in rows):
        rows = sorted(rows, key=lambda row: by_raw[row["_raw"]])
    assert len(rows) == len(case["rows"])
    for row, expected in zip(rows, case["rows"], strict=True):
        assert {name: row.get(name, "absent") for name in expected} == {
            k: [str(x) for x in v] if isinstance(v, list) else v for k, v in expected.items()
        }
    if "times" in case:
        assert [str(row["_time"]) for row in rows] == case["times"]


SCALARS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ['":', '":"', "x :", '\\":', '":null', "[", "{}", '":[', '":{}', "::1", ":", ": "]
    ),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.none(),
)
KEYS = st.sampled_from(
    ["", "a", "b", "A", "c d", 'q"', "é", "x:y", "x:", ":", ":a", '":', "Event", "EventID"]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=10,
)
EVENTS = st.dictionaries(KEYS, VALUES, max_size=5)


@pytest.mark.slow
@settings(deadline=None)
@given(
    events=st.lists(EVENTS, min_size=1, max_size=8),
    separators=st.sampled_from([(",", ":"), (", ", ": "), (",", " :"), (", ", ":")]),
)
def test_the_fast_way_agrees_with_a_plain_parser(
    events: list[dict[str, Any]], separators: tuple[str, str]
) -> None:
    texts = [json.dumps(e, separators=separators, ensure_ascii=False) for e in events]
    lines = pa.array(texts, pa.string())
    reader = JsonLines(few=0)
    found: dict[int, dict[tuple[str, ...], Any]] = {}
    for numbers, paths in reader.columns(lines, reader.count(view_bytes(lines))):
        for position, number in enumerate(numbers.tolist()):
            values = {path: column[position].as_py() for path, column in paths.items()}
            found[number] = {path: v for path, v in values.items() if v not in (None, [])}
    for number, event in enumerate(events):
        plain = {path: column[0].as_py() for path, column in read_by_line([event]).items()}
        assert found.get(number, {}) == {path: v for path, v in plain.items() if v != []}


@pytest.mark.parametrize("text", ['{"a": {"b": "x", "c": {}}}', '{"a":{"b":"x","c":{}},"d":null}'])
def test_lines_with_empty_objects_are_not_read_one_by_one(text: str) -> None:
    """Most events of CloudTrail and Entra have one, which is no value."""
    lines = pa.array([text, '{"a": {"b": "y", "c": {"d": "z"}}}'] * 200)
    [(numbers, paths)] = JsonLines(few=0).columns(lines, None)
    assert len(numbers) == 400
    assert paths["a", "b"].to_pylist() == ["x", "y"] * 200
    assert paths["a", "c", "d"].to_pylist() == [None, "z"] * 200


MEMBERS = [
    '{"id":1,"answers":[{"name":"a","ttl":300,"data":{"ip":"::1"}},{"name":"b"}],"flags":["x"]}',
    '{"id":2,"answers":[],"flags":[null]}',
    '{"id":3,"answers":[{"name":"c","all":[{"x":"1"},{"x":2,"y":["p","q"]}]},null,{"name":null,"ttl":5}]}',
]


def test_arrays_of_objects_are_read_in_columns() -> None:
    """The values of a key in all objects of an array are the values of one field."""
    lines = pa.array(MEMBERS * 200)
    [(numbers, paths)] = JsonLines(few=0).columns(lines, None)
    assert len(numbers) == 600
    assert {".".join(path): values.to_pylist()[:3] for path, values in paths.items()} == {
        "id": ["1", "2", "3"],
        "answers{}.name": [["a", "b"], None, ["c"]],
        "answers{}.ttl": [["300"], None, ["5"]],
        "answers{}.data.ip": [["::1"], None, None],
        "answers{}.all{}.x": [None, None, ["1", "2"]],
        "answers{}.all{}.y{}": [None, None, ["p", "q"]],
        "flags{}": [["x"], None, None],
    }
    assert paths["id",].to_pylist() == ["1", "2", "3"] * 200


@pytest.mark.parametrize(
    ("strange", "expected"),
    [
        ('{"d":["x",{"e":"y"}]}', {("d{}",): ["x"], ("d{}", "e"): ["y"]}),
        ('{"d":[["x"],{"e":"y"}]}', {("d{}",): ['["x"]'], ("d{}", "e"): ["y"]}),
        ('{"d":[{"e":"y","new":"z"}]}', {("d{}", "e"): ["y"], ("d{}", "new"): ["z"]}),
        ('{"d":[{"e":"y","e":"z"}]}', {("d{}", "e"): ["z"]}),
        ('{"d":[{"e":["y"]}]}', {("d{}", "e{}"): ["y"]}),
        ('{"d":{"e":"y"}}', {("d", "e"): "y"}),
        ('{"d":"x"}', {("d",): "x"}),
        ('{"new":"x","t":{},"d":[]}', {("new",): "x"}),
        ('{"t":{"u":{}},"new":"x"}', {("new",): "x"}),
    ],
)
def test_a_line_unlike_all_others_loses_nothing(
    strange: str, expected: dict[tuple[str, ...], Any]
) -> None:
    lines = pa.array([*['{"t":"u","d":[{"e":"x"},{"e":"y"}]}'] * 999, strange])
    found = {}
    for numbers, paths in JsonLines(few=0).columns(lines, None):
        if 999 in numbers:
            row = numbers.tolist().index(999)
            found = {path: values[row].as_py() for path, values in paths.items()}
    assert {path: value for path, value in found.items() if value} == expected


def test_gzipped_falcon_data() -> None:
    line = {"event_simpleName": "ProcessRollup2", "aid": "1", "timestamp": "1713805173418"}
    data = "".join(json.dumps(line | {"RawProcessId": str(n)}) + "\n" for n in range(3000))
    rows, rejected = read_bytes(gzip.decompress(gzip.compress(data.encode())))
    assert rejected == []
    assert [row["RawProcessId"] for row in rows] == [str(n) for n in range(3000)]
