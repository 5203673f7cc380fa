"""What was planted -> the answer file of a generated log; the demo compares hits with it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a detection should (or knowingly may) report.

    ``kind``: ``attack`` (planted), ``benign`` (a known false positive: the detections of
    ``expect`` report it) or ``excluded`` (the same behaviour, which no detection reports).
    ``time`` is when it began, in UTC; ``campaign`` numbers the intrusions. ``logged`` is how many
    events tell of it.
    """

    kind: str
    label: str
    technique: str
    expect: tuple[str, ...]
    campaign: int | None
    logged: int
    time: str
    host: str
    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessAnswer(Answer):
    """One process of the Windows estate.

    ``logged`` is 2 where Sysmon and the Security log both tell of its start, which a detection
    reports as two rows (their users are written differently).
    """

    aid: str
    process_guid: str
    process_id: int
    target_process_id: int
    process_name: str
    parent_process_id: int
    parent_process_name: str
    process: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventAnswer(Answer):
    """One step of an attack on a cloud, a network, a web server or a Linux host.

    ``host`` is what was attacked: a host, an account or a tenant; ``src`` where it came from.
    """

    src: str
    lines: tuple[str, ...]
    """The events that tell of it, as they stand in the log."""


@dataclass(frozen=True)
class Answers:
    """The answer file: what was generated and what is in it."""

    events: int
    seed: int
    format: str
    start: str
    end: str
    hosts: int
    kinds: dict[str, int]
    """Events of each kind."""
    rows: tuple[Answer, ...]

    @property
    def processes(self) -> tuple[ProcessAnswer, ...]:
        """The rows that are processes."""
        return tuple(row for row in self.rows if isinstance(row, ProcessAnswer))

    def expected(self, detection: str) -> int:
        """How many processes, or steps of attacks, a detection should report."""
        return sum(detection in row.expect for row in self.rows)

    def expected_rows(self, detection: str) -> int:
        """How many result rows that makes, where a process is logged twice."""
        return sum(row.logged for row in self.rows if detection in row.expect)

    def to_json(self) -> bytes:
        """The file as indented JSON; times are ISO 8601 in UTC."""
        value: dict[str, Any] = asdict(self)
        return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

    def write(self, path: Path) -> None:
        path.write_bytes(self.to_json())
