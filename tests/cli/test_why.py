"""``escudo why`` as it is called."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from click.testing import CliRunner, Result

from escudo.cli import cli

EVENT = {
    "dest": "ws01",
    "user": "anna",
    "process_name": "cmd.exe",
    "process": "cmd.exe /c whoami",
    "parent_process_name": "C:\\Windows\\System32\\wbem\\WmiPrvSE.exe",
}
WMI = "process execution via wmi"


def _run(arguments: Sequence[str], stdin: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["why", *arguments], input=stdin, catch_exceptions=False)


def _json(arguments: Sequence[str], stdin: str | None = None) -> list[dict[str, Any]]:
    done = _run([*arguments, "--format", "json"], stdin)
    assert done.exit_code == 0, done.output
    out: list[dict[str, Any]] = json.loads(done.stdout)
    return out


def test_text() -> None:
    lines = _run([WMI, "--event", json.dumps(EVENT), "--format", "text"]).stdout.splitlines()
    condition = "Processes.parent_process_name=WmiPrvSE.exe"
    assert f"    FAIL {condition}" in lines
    assert lines[lines.index(f"    FAIL {condition}") + 2] == (
        "        help: the value ends with it: "
        "Processes.parent_process_name=*WmiPrvSE.exe would match"
    )
    assert lines[-1] == "  1 condition failed"


def test_json_has_stable_names() -> None:
    (found,) = _json([WMI, "--event", "-"], json.dumps(EVENT))
    assert found["detection"] == "Process Execution via WMI"
    (candidate,) = found["candidates"]
    assert candidate.keys() == {
        *("event_ids", "source_files", "_time", "after", "matched", "failed", "note", "filters"),
        "fields",
    }
    assert (candidate["matched"], candidate["failed"]) == (False, 1)
    where = candidate["filters"][0]
    assert where.keys() == {"command", "spl", "held", "line", "column", "conditions"}
    failed, kept = where["conditions"]
    assert (failed["kind"], failed["held"], failed["values"]) == (
        "condition",
        False,
        {"Processes.parent_process_name": EVENT["parent_process_name"]},
    )
    assert (kept["kind"], kept["held"]) == ("not", True)
    assert kept["conditions"][0]["held"] is False


def test_an_event_that_is_found() -> None:
    event = EVENT | {"parent_process_name": "WMIPRVSE.EXE"}
    (found,) = _json([WMI, "--event", json.dumps(event)])
    assert found["candidates"][0]["matched"] is True


def test_unknown_fields_are_told() -> None:
    done = _run([WMI, "--event", json.dumps(EVENT | {"Image": "x"}), "--format", "json"])
    assert "warning[DET203]: endpoint_processes has no field Image" in done.stderr


def test_spl_instead_of_a_detection() -> None:
    (found,) = _json(["search a=1 OR b=2", "--event", '{"a": 1}'])
    (condition,) = found["candidates"][0]["filters"][0]["conditions"]
    assert (condition["kind"], condition["held"]) == ("or", True)
    assert [c["held"] for c in condition["conditions"]] == [True, False]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([WMI], "one of --event and --near"),
        ([WMI, "--event", "1", "--near", "1"], "one of --event and --near"),
        ([WMI, "--near", "1"], "--lake"),
        ([WMI, "--event", "12"], "--lake"),
    ],
)
def test_wrong_command_lines(arguments: list[str], says: str) -> None:
    done = _run(arguments)
    assert done.exit_code == 2
    assert says in done.stderr
