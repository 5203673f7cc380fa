"""Events written briefly in case files, as the log lines that a machine would write."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from escudo.sources.opening import LogStream, open_logs
from escudo.sources.reading import RawBatch, read
from tests.families import FAMILIES

_ORIGINS = {
    "sysmon": ("Microsoft-Windows-Sysmon", "Microsoft-Windows-Sysmon/Operational"),
    "linux": ("Linux-Sysmon", "Linux-Sysmon/Operational"),
    "security": ("Microsoft-Windows-Security-Auditing", "Security"),
    "system": ("Service Control Manager", "System"),
}


def log_lines(case: Mapping[str, Any]) -> Iterator[str]:
    """The raw events of a case: ``xml``, ``json``, ``text``, or short forms put into event XML."""
    if "text" in case:
        yield case["text"].rstrip("\n")
    if "xml" in case:
        yield case["xml"]
    for event in case.get("json", ()):
        yield json.dumps(event)
    for kind, (provider, channel) in _ORIGINS.items():
        events = case.get(kind, ())
        for number, event in enumerate([events] if isinstance(events, dict) else events):
            yield event_xml(event, provider, channel, number)


def event_xml(event: Mapping[str, Any], provider: str, channel: str, number: int) -> str:
    """Event XML with the given EventData; a second after the event before."""
    data = dict(event)
    system = (
        f"<Provider Name={quoteattr(data.pop('Name', provider))}/>"
        f"<EventID>{data.pop('EventID')}</EventID>"
        f"<Keywords>{data.pop('Keywords', '0x8000000000000000')}</Keywords>"
        f"<TimeCreated SystemTime='2024-03-01T09:00:{number:02}.000000000Z'/>"
        f"<Channel>{data.pop('Channel', channel)}</Channel><Computer>pc1</Computer><Security/>"
    )
    fields = "".join(f"<Data Name={quoteattr(k)}>{escape(v)}</Data>" for k, v in data.items())
    return (
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'>"
        f"<System>{system}</System><EventData>{fields}</EventData></Event>"
    )


def raw_batches(case: Mapping[str, Any], folder: Path) -> list[RawBatch]:
    """The events of a case, read from a file as any log is."""
    file = folder / "case.log"
    file.write_text("\n".join(log_lines(case)) + "\n", encoding="utf-8")
    batches: list[RawBatch] = []
    for stream in open_logs([file], judge=FAMILIES.judge_with(None)):
        assert isinstance(stream, LogStream), stream
        for item in read(stream, FAMILIES):
            assert isinstance(item, RawBatch), item
            batches.append(item)
    return batches
