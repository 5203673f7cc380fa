"""What the tests of readers share: streams over bytes, rows of batches, sample events."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

from escudo.core.errors import Diagnostic
from escudo.core.schema import MV_SEPARATOR
from escudo.sources.format_detection import HEAD_BYTES, Format, detect_format
from escudo.sources.opening import LogStream
from escudo.sources.reading import RawBatch, Rejected, read
from tests.families import FAMILIES

NAMESPACE = "http://schemas.microsoft.com/win/2004/08/events/event"
SYSMON_GUID = "{5770385F-C22A-43E0-BF4C-06F5698FFBD9}"


def stream_of(data: bytes, format: Format | None = None, name: str = "test.log") -> LogStream:
    detected = format or detect_format(data[:HEAD_BYTES])
    assert detected is not None
    return LogStream(name, detected, lambda: io.BytesIO(data), name, size=len(data))


def rows_of(items: Iterable[RawBatch | Rejected]) -> tuple[list[dict[str, Any]], list[Rejected]]:
    """Every event as its SPL fields (empty ones left out), and what was rejected."""
    rows: list[dict[str, Any]] = []
    rejected: list[Rejected] = []
    for item in items:
        if isinstance(item, Rejected):
            rejected.append(item)
            continue
        family = item.family
        assert item.table.schema == family.schema.arrow()
        item.table.validate(full=True)
        names = {c.physical: c.name for c in family.schema.columns if c.physical}
        for row in item.table.to_pylist():
            rest = dict(row.pop("_fields"))
            out = {names[k]: v for k, v in row.items() if v is not None}
            out |= {k: v.split(MV_SEPARATOR) if "{}" in k else v for k, v in rest.items()}
            out["family"] = item.family.name
            rows.append(out)
    return rows, rejected


def read_bytes(data: bytes, **options: Any) -> tuple[list[dict[str, Any]], list[Rejected]]:
    return rows_of(read(stream_of(data, **options), FAMILIES))


def diagnostics_of(items: Iterable[LogStream | Diagnostic]) -> list[str]:
    return [item.code for item in items if isinstance(item, Diagnostic)]


def event(
    number: int = 1,
    data: str = "<Data Name='Image'>C:\\a.exe</Data>",
    *,
    event_id: int = 1,
    channel: str = "Microsoft-Windows-Sysmon/Operational",
    provider: str = "Microsoft-Windows-Sysmon",
) -> str:
    """An event as Windows renders it."""
    return (
        f"<Event xmlns='{NAMESPACE}'><System><Provider Name='{provider}' Guid='{SYSMON_GUID}'/>"
        f"<EventID>{event_id}</EventID><Version>5</Version><Level>4</Level><Task>{event_id}</Task>"
        "<Opcode>0</Opcode><Keywords>0x8000000000000000</Keywords>"
        "<TimeCreated SystemTime='2020-10-08T11:03:46.617920300Z'/>"
        f"<EventRecordID>{number}</EventRecordID><Correlation/>"
        f"<Execution ProcessID='2912' ThreadID='3424'/><Channel>{channel}</Channel>"
        "<Computer>pc1.example.com</Computer><Security UserID='S-1-5-18'/></System>"
        f"<EventData>{data}</EventData></Event>"
    )
