"""All of the real logs are read, and every event of them is accounted for."""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from pathlib import Path

import evtx
import orjson
import pytest

from escudo.core.errors import Diagnostic
from escudo.sources.formats.windows_form import render_windows_form
from escudo.sources.formats.xml_element import Field, read_event_fields
from escudo.sources.opening import LogStream, open_logs
from escudo.sources.reading import RawBatch, Rejected, read
from tests.families import FAMILIES
from tests.shared_data import SHARED, needs_shared

pytestmark = [needs_shared, pytest.mark.slow]


def folder(name: str) -> Path:
    assert SHARED is not None
    return SHARED / name


def count(stream: LogStream) -> tuple[int, int]:
    rows = rejected = 0
    for item in read(stream, FAMILIES):
        if isinstance(item, RawBatch):
            rows += item.table.num_rows
            assert item.table.column("_time").null_count == 0
            assert item.table.column("_raw").null_count == 0
        elif isinstance(item, Rejected):
            rejected += 1
    return rows, rejected


def test_all_event_logs() -> None:
    files = total = 0
    for item in open_logs([folder("evtx")]):
        if isinstance(item, Diagnostic):
            assert (item.code, item.span and item.span.file) == (
                "SRC004",
                str(folder("evtx") / "LICENSE.GPL"),
            )
            continue
        records = sum(1 for _ in evtx.PyEvtxParser(item.name).records())
        assert count(item) == (records, 0), item.name
        files += 1
        total += records
    assert (files, total) == (183, 5389)


def test_the_windows_form_changes_no_field() -> None:
    for path in sorted(folder("evtx").rglob("*.evtx")):
        for record in evtx.PyEvtxParser(str(path)).records():
            text = record["data"].partition("\n")[2]
            shorter = render_windows_form(text.encode()).decode()
            assert read_event_fields(shorter) == _without_layout(read_event_fields(text))
            assert "\n  <" not in shorter


def _without_layout(fields: dict[str, Field]) -> dict[str, Field]:
    """The library closes an empty element on the next line: that is no value."""
    out: dict[str, Field] = {}
    for name, value in fields.items():
        kept = [v for v in value if v != "\n    "] if isinstance(value, list) else value
        if kept not in ([], "\n    "):
            out[name] = kept
    return out


def test_all_archives_of_json() -> None:
    archives: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    for item in open_logs([folder("otrf")]):
        if isinstance(item, Diagnostic):
            codes[item.code] += 1
            continue
        archive, _, member = item.name.partition("!")
        with zipfile.ZipFile(archive) as opened:
            lines = [x for x in opened.read(member).split(b"\n") if x.strip()]
        assert count(item) == (len(lines), 0), item.name
        archives[archive] += len(lines)
    assert sum(archives.values()) == 308_931
    # Two files with a password, one licence; Zeek's own text logs are no format of ours.
    assert codes["SRC007"] == 2
    assert set(codes) == {"SRC004", "SRC007"}
    without = {p.name for p in folder("otrf").glob("*.zip")} - {Path(a).name for a in archives}
    assert {name for name in without if "zeek" not in name} == {"UTICA-ONE-DRIVE.zip"}


def test_every_value_of_the_json_is_in_some_field() -> None:
    """A sample of each archive: no value of an event is lost on the way to its fields."""
    for item in open_logs([folder("otrf")]):
        if isinstance(item, Diagnostic):
            continue
        for batch in read(item, FAMILIES):
            assert isinstance(batch, RawBatch)
            table = batch.table.slice(0, 50)
            for row in table.to_pylist():
                event = orjson.loads(row["_raw"])
                values = {v for v in row.values() if isinstance(v, str)}
                values |= {v for _, v in row["_fields"]}
                if event.get("EventData", "").startswith("{"):
                    event |= orjson.loads(event.pop("EventData"))
                for name, value in event.items():
                    if name in _REPLACED or not isinstance(value, str):
                        continue
                    if value and not value.startswith("<"):
                        assert value in values, (item.name, name, json.dumps(event)[:300])
            break


_REPLACED = {"TimeCreated", "SystemTime", "Keywords"}
