"""Parquet as Amazon Security Lake writes it gives the events, and the rows, that its JSON gives."""

from __future__ import annotations

import gzip
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from escudo.cim.models import load
from escudo.cim.normalise import Normaliser
from escudo.core.schema import RAW_REST
from escudo.engines.duckdb import connect
from escudo.sources.opening import LogStream, open_logs
from escudo.sources.reading import RawBatch, Rejected, read
from tests.families import FAMILIES

CALL: dict[str, Any] = {
    "metadata": {"product": {"name": "CloudTrail", "vendor_name": "AWS"}, "version": "1.1.0"},
    "time": 1717229101000,
    "time_dt": "2024-06-01T08:05:01.123456+00:00",
    "class_uid": 6003,
    "category_uid": 6,
    "activity_id": 4,
    "class_name": "API Activity",
    "status": "Success",
    "api": {"operation": "DeleteTrail", "service": {"name": "cloudtrail.amazonaws.com"}},
    "actor": {
        "user": {"type": "IAMUser", "uid": "arn:aws:iam::1:user/ida", "account": {"uid": "1"}}
    },
    "src_endpoint": {"ip": "192.0.2.7", "port": None},
    "resources": [
        {"uid": "arn:aws:trail/main", "type": "Trail"},
        {"uid": "arn:2", "type": "Trail"},
    ],
    "observables": [{"name": "é", "type_id": 2}],
    "cloud": {"provider": "AWS", "region": "us-east-1"},
    "unmapped": {"sharedEventID": "s1", "a.b": "c"},
}
LOGON = {
    **CALL,
    "time": 1717229102000,
    "time_dt": "2024-06-01T08:05:02+00:00",
    "class_uid": 3002,
    "category_uid": 3,
    "activity_id": 1,
    "class_name": "Authentication",
    "status": "Failure",
    "resources": None,
    "unmapped": {},
}
FLOW = {
    **CALL,
    "time": 1717229103000,
    "time_dt": "2024-06-01T08:05:03+00:00",
    "class_uid": 4001,
    "category_uid": 4,
    "activity_id": 6,
    "class_name": "Network Activity",
    "src_endpoint": {"ip": "192.0.2.7", "port": 51000},
    "unmapped": None,
}
EVENTS = [CALL, LOGON, FLOW]


def parquet(events: list[dict[str, Any]], **options: Any) -> bytes:
    """Events as Security Lake's files have them: structs, lists, times and a map."""
    plain = [{k: v for k, v in e.items() if k not in ("unmapped", "time_dt")} for e in events]
    table = pa.Table.from_pylist(plain)
    times = [datetime.fromisoformat(e["time_dt"]).astimezone(UTC) for e in events]
    maps = [None if e["unmapped"] is None else list(e["unmapped"].items()) for e in events]
    table = table.append_column("time_dt", pa.array(times, pa.timestamp("us", "UTC")))
    table = table.append_column("unmapped", pa.array(maps, pa.map_(pa.string(), pa.string())))
    out = io.BytesIO()
    pq.write_table(table, out, **options)
    return out.getvalue()


def take(data: bytes) -> tuple[list[RawBatch], list[Rejected]]:
    batches: list[RawBatch] = []
    rejected: list[Rejected] = []
    for stream in open_logs(["-"], stdin=io.BytesIO(data)):
        assert isinstance(stream, LogStream), stream
        for item in read(stream, FAMILIES):
            if isinstance(item, RawBatch):
                batches.append(item)
            else:
                rejected.append(item)
    return batches, rejected


def raw_rows(batches: list[RawBatch]) -> list[dict[str, Any]]:
    rows = []
    for batch in batches:
        for row in batch.table.to_pylist():
            del row["_raw"]
            rows.append({**row, RAW_REST: sorted(row[RAW_REST]), "family": batch.family.name})
    return sorted(rows, key=lambda row: row["_time"])


def model_rows(batches: list[RawBatch]) -> dict[str, list[dict[str, Any]]]:
    normaliser = Normaliser(connect(threads=1), load())
    found: dict[str, list[dict[str, Any]]] = {}
    for batch in batches:
        for made in normaliser.normalise(batch):
            found.setdefault(made.table, []).extend(made.data.to_pylist())
    return found


@pytest.mark.parametrize("codec", ["zstd", "gzip", "snappy"])
def test_rows_are_those_of_the_same_events_as_json(codec: str) -> None:
    text = "".join(json.dumps(event) + "\n" for event in EVENTS).encode()
    [ours, rejected], [theirs, _] = take(parquet(EVENTS, compression=codec)), take(text)
    assert rejected == []
    assert raw_rows(ours) == raw_rows(theirs)
    assert [row["family"] for row in raw_rows(ours)] == ["aws_security_lake"] * 3
    assert model_rows(ours) == model_rows(theirs)
    assert {k: len(v) for k, v in model_rows(ours).items()} == {
        "authentication_authentication": 1,
        "change_all_changes": 1,
        "network_traffic_all_traffic": 1,
    }


def test_the_text_of_an_event_is_its_json() -> None:
    [batch] = take(parquet([CALL]))[0]
    event = json.loads(batch.table["_raw"][0].as_py())
    assert event == CALL | {"src_endpoint": {"ip": "192.0.2.7", "port": None}}


def test_a_file_that_is_packed_and_has_several_row_groups(tmp_path: Path) -> None:
    many = [
        {**CALL, "time": 1_000 + n, "time_dt": "2024-06-01T08:05:01+00:00"} for n in range(10_000)
    ]
    data = parquet(many, row_group_size=1_000)
    file = tmp_path / "a.gz.parquet"
    file.write_bytes(gzip.compress(data, 1))
    [stream] = open_logs([file])
    assert isinstance(stream, LogStream)
    times = [
        t
        for b in read(stream, FAMILIES)
        if isinstance(b, RawBatch)
        for t in b.table["_time"].to_pylist()
    ]
    assert len(set(times)) == len(times) == 10_000


@pytest.mark.parametrize("keep", [4, 40, -1, -9, -200])
def test_what_is_cut_off_is_told(keep: int) -> None:
    batches, rejected = take(parquet(EVENTS)[:keep])
    assert batches == []
    assert [r.code for r in rejected] == ["SRC036"]


def test_a_damaged_page_is_told() -> None:
    many = [{**CALL, "time": CALL["time"] + n} for n in range(5_000)]
    data = bytearray(parquet(many, row_group_size=5_000, compression="zstd"))
    data[100:400] = b"\x00" * 300
    batches, rejected = take(bytes(data))
    assert [r.code for r in rejected] == ["SRC036"]
    assert sum(b.table.num_rows for b in batches) < 5_000


def test_no_rows_and_other_columns() -> None:
    out = io.BytesIO()
    table = pa.table({"when": ["2024-06-01T08:00:00Z"], "blob": [b"\xff\x00"], "d": [1.5]})
    pq.write_table(table, out)
    [batch] = take(out.getvalue())[0]
    assert batch.family.name == "json_generic"
    assert json.loads(batch.table["_raw"][0].as_py()) == {
        "when": "2024-06-01T08:00:00Z",
        "d": 1.5,
        "blob": "\ufffd\x00",
    }
    out = io.BytesIO()
    pq.write_table(table.slice(0, 0), out)
    assert take(out.getvalue()) == ([], [])
