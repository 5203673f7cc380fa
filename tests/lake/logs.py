"""Small logs to ingest: Sysmon events as Windows event XML, one a line."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

_EVENT = (
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
    "<Provider Name='Microsoft-Windows-Sysmon'/><EventID>{code}</EventID>"
    "<TimeCreated SystemTime='{time}'/><EventRecordID>{record}</EventRecordID>"
    "<Channel>Microsoft-Windows-Sysmon/Operational</Channel><Computer>pc1</Computer></System>"
    "<EventData><Data Name='UtcTime'>{utc}</Data>"
    "<Data Name='ProcessGuid'>{{0-{record}}}</Data><Data Name='ProcessId'>{record}</Data>"
    "<Data Name='Image'>C:\\Windows\\System32\\cmd.exe</Data>"
    "<Data Name='CommandLine'>cmd.exe /c echo {tag} {record}</Data>"
    "<Data Name='User'>PC1\\ann</Data>"
    "<Data Name='ParentImage'>C:\\Windows\\explorer.exe</Data></EventData></Event>\n"
)


def sysmon(count: int, tag: str = "", code: int = 1, start: float = 1_700_000_000.0) -> str:
    """Events a second apart; process creations unless another event id is given."""
    rows = []
    for n in range(count):
        at = datetime.fromtimestamp(start + n, UTC)
        rows.append(
            _EVENT.format(
                code=code,
                time=at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                utc=at.strftime("%Y-%m-%d %H:%M:%S.000"),
                record=n,
                tag=tag,
            )
        )
    return "".join(rows)


def write_logs(folder: Path, files: int, events: int) -> list[Path]:
    """Files of different content, each with so many process creations."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for n in range(files):
        path = folder / f"log{n:03}.xml"
        path.write_text(sysmon(events, f"file{n}", start=1_700_000_000.0 + n * 3600))
        made.append(path)
    return made
