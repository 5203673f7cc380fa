"""The results of detections' tests -> JSON, JUnit XML and SARIF, for standard output and for files,
as their names end; called by ``escudo test``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import IO, TypeAlias

from escudo.actions.run_tests import TestReport
from escudo.cli.json_text import dump_json
from escudo.cli.sarif import build_sarif
from escudo.cli.testing_view import report_to_dict
from escudo.content.codes import CODES as CONTENT_CODES
from escudo.core.errors import EscudoError
from escudo.core.whole_file import check_place
from escudo.detect.codes import CODES as DETECT_CODES
from escudo.findings.codes import CODES as FINDINGS_CODES
from escudo.spl import CODES as SPL_CODES

Write: TypeAlias = Callable[[TestReport, IO[bytes]], None]


def _write_json(report: TestReport, stream: IO[bytes]) -> None:
    stream.write(dump_json(report_to_dict(report), indent=True).encode() + b"\n")


def _write_junit(report: TestReport, stream: IO[bytes]) -> None:
    write: Write = import_module("escudo.cli.junit_file").write_junit
    write(report, stream)


def _write_sarif(report: TestReport, stream: IO[bytes]) -> None:
    codes = {**SPL_CODES, **CONTENT_CODES, **DETECT_CODES, **FINDINGS_CODES}
    problems = [p for result in report.failed for p in result.problems]
    stream.write(dump_json(build_sarif(problems, codes), indent=True).encode() + b"\n")


WRITERS: Mapping[str, Write] = {
    "json": _write_json,
    "junit": _write_junit,
    "sarif": _write_sarif,
}
ENDINGS: Mapping[str, str] = {".json": "json", ".xml": "junit", ".sarif": "sarif"}
"""The end of a file's name -> what is written to it."""


def find_writer(path: Path) -> Write:
    """What writes a file of this name.

    Raises:
        EscudoError: CLI010 for another ending; SYS002 where no file can be written.
    """
    shape = ENDINGS.get(path.suffix.lower())
    if shape is None:
        message = f"{path}: its name must end in one of {', '.join(ENDINGS)}"
        raise EscudoError("CLI010", message)
    check_place(path)
    return WRITERS[shape]
