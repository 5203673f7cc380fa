"""Findings -> lines at the end of a file: JSON, OCSF, or CSV; ``opening`` makes these sinks.

Each batch is written at once; where the disk is full, what there is of it is taken off again. The
file is opened for each batch, so it may be rotated.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson

from escudo.core.errors import EscudoError
from escudo.sinks.ocsf import build_ocsf
from escudo.sinks.sink import Delivery, Failure, Finding

CSV_FIELDS = (
    "_time",
    "severity",
    "detection",
    "detection_type",
    "host",
    "user",
    "message",
    "risk_score",
    "mitre_attack_id",
    "tactics",
    "analytic_story",
    "source_file",
    "finding_id",
    "detection_id",
    "search_name",
    "orig_sid",
    "row",
)
"""The columns of a CSV file; ``row`` is JSON."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for a formula begins so (OWASP, CSV Injection)."""


class FileSink:
    """A file that findings are added to."""

    def __init__(
        self, name: str, path: Path, render: Callable[[Sequence[Finding], bool], bytes]
    ) -> None:
        self.name = name
        self._path = path
        self._render = render

    def send(self, findings: Sequence[Finding]) -> Delivery:
        try:
            with self._path.open("ab") as out:
                size = out.tell()
                try:
                    out.write(self._render(findings, size == 0))
                    out.flush()
                    os.fsync(out.fileno())
                except OSError:
                    os.truncate(self._path, size)
                    raise
        except (OSError, ValueError) as error:  # a name that no file can have is a ValueError
            told = getattr(error, "strerror", None) or str(error)
            reason = f"{self._path}: {told}"
            return Delivery(0, (Failure(tuple(findings), reason),))
        return Delivery(len(findings))

    def close(self) -> None:
        pass


def open_json_file(path: Path) -> FileSink:
    """A file of JSON lines, a finding each."""
    return FileSink(f"jsonl:{path}", path, lambda findings, _first: dump_lines(findings))


def open_ocsf_file(path: Path) -> FileSink:
    """A file of JSON lines, an OCSF Detection Finding each."""

    def render(findings: Sequence[Finding], _first: bool) -> bytes:
        return dump_lines([build_ocsf(f) for f in findings])

    return FileSink(f"ocsf:{path}", path, render)


def open_csv_file(path: Path) -> FileSink:
    """A CSV file with ``CSV_FIELDS``: SNK005 where it is there with other columns."""
    if path.is_file() and path.stat().st_size:
        with path.open(encoding="utf-8", newline="") as stream:
            header = next(csv.reader(stream), [])
        if tuple(header) != CSV_FIELDS:
            raise EscudoError("SNK005", f"{path} has other columns than findings have")
    return FileSink(f"csv:{path}", path, _render_csv)


def dump_lines(values: Sequence[Any]) -> bytes:
    """JSON lines."""
    return b"".join(dump(value) + b"\n" for value in values)


def dump(value: Any) -> bytes:
    """A value as JSON on one line, whatever is in its texts.

    >>> dump({"a": "x" + chr(0xDC80)})
    b'{"a":"x\\\\\\\\udc80"}'
    """
    try:
        return orjson.dumps(value)
    except TypeError:
        return orjson.dumps(_escape_surrogates(value), default=str)


def _escape_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_escape_surrogates(k): _escape_surrogates(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_escape_surrogates(v) for v in value]
    return value


def _render_csv(findings: Sequence[Finding], first: bool) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, CSV_FIELDS, extrasaction="ignore", lineterminator="\r\n")
    if first:
        writer.writeheader()
    for finding in findings:
        writer.writerow({name: make_cell(finding.get(name)) for name in CSV_FIELDS})
    return text.getvalue().encode("utf-8", "backslashreplace")


def make_cell(value: Any) -> str:
    """A value as the text of a cell that no spreadsheet runs as a formula.

    >>> make_cell("=cmd|' /C calc'!A0"), make_cell(["a", "b"]), make_cell(None)
    ("'=cmd|' /C calc'!A0", 'a; b', '')
    """
    if value is None:
        return ""
    if isinstance(value, dict):
        return dump(value).decode()
    if isinstance(value, bool | int | float):
        return str(value)
    text = "; ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
