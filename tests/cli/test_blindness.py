"""A hunt that could not see some events says so with an exit code of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run

SEEN = (
    '{"EventID": 7, "Channel": "System", "Computer": "pc", "TimeCreated": "2024-03-05T10:20:30Z"}'
)
STRANGE = '{"p": {"EventCode": 4688, "Provider": "x"}, "time": "2024-03-05T10:20:30Z"}'


@pytest.mark.parametrize(("text", "code"), [(SEEN, 0), (STRANGE, 3), (SEEN + "\n" + STRANGE, 3)])
def test_exit_code(escudo: Run, tmp_path: Path, text: str, code: int) -> None:
    log = tmp_path / "a.json"
    log.write_text(text + "\n", "utf-8")
    done = escudo(
        "hunt", log, "--detection", "Process Execution via WMI", "--quiet", "--format", "jsonl"
    )
    assert done.returncode == code, done.stderr
    assert ("SRC060" in done.stderr) == (code == 3)
