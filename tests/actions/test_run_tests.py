"""What becomes of a test by the form of its data, its labels and what it asks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from escudo.actions.run_tests import TestOptions
from escudo.content import Content, load
from escudo.detect.testing import Outcome, TestResult
from tests.detection_tests import run_all_tests
from tests.findings.matches import NOW
from tests.tested_content import SYSMON, make_checkout, write_detection

LOGON = """\
06/01/2024 08:09:10 AM
LogName=Security
EventCode=4624
EventType=0
ComputerName=srv7.corp.example
SourceName=Microsoft Windows security auditing.
Type=Information
RecordNumber=9
Keywords=Audit Success
TaskCategory=Logon
OpCode=Info
Message=An account was successfully logged on.

Logon Information:
\tLogon Type:\t\t3

New Logon:
\tSecurity ID:\t\tCORP\\ida
\tAccount Name:\t\tida
\tLogon ID:\t\t0x5F1
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return make_checkout(tmp_path / "content")


def run(checkout: Path, name: str, options: TestOptions | None = None) -> TestResult:
    content: Content = load([checkout])
    (result,) = run_all_tests([content.detection(name)], content, options=options)
    return result


def write_test(checkout: Path, search: str, text: str, **data: Any) -> None:
    (checkout / "tests" / "data.log").write_text(text, "utf-8")
    attack = {"data": "tests/data.log", **data}
    test = {"name": "finds", "attack_data": [attack], "drilldowns": False}
    write_detection(checkout, "Reads", "", search=f"{search} | `reads_filter`", tests=[test])


def test_classic_text_has_months_first_and_its_labels(checkout: Path) -> None:
    search = (
        "search source=WinEventLog:Security sourcetype=WinEventLog EventCode=4624"
        ' | eval day=strftime(_time, "%F"), dest=host | search day="2024-06-01"'
        " | stats count by dest day"
    )
    write_test(checkout, search, LOGON, source="WinEventLog:Security", sourcetype="WinEventLog")
    result = run(checkout, "Reads")
    assert result.problems == ()
    assert result.first_row["dest"] == "srv7.corp.example"
    assert result.data[0].data.sourcetype == "WinEventLog"


def test_a_search_for_another_source_type_finds_nothing(checkout: Path) -> None:
    search = "search sourcetype=WinEventLog EventCode=4624 | stats count by host"
    write_test(checkout, search, LOGON, source="s", sourcetype="other")
    result = run(checkout, "Reads")
    assert [p.code for p in result.problems] == ["DET101"]
    assert result.outcome is Outcome.FAILED


def test_two_files_are_one_lake(checkout: Path) -> None:
    (checkout / "tests" / "more.log").write_text(LOGON.replace("srv7", "srv8"), "utf-8")
    data = [
        {"data": f"tests/{name}", "source": name, "sourcetype": "t"}
        for name in ("data.log", "more.log")
    ]
    (checkout / "tests" / "data.log").write_text(LOGON, "utf-8")
    search = "search EventCode=4624 | stats count by host source | rename host as dest"
    tests = [{"name": "both", "attack_data": data, "rows": 2}]
    write_detection(checkout, "Both", "", search=f"{search} | `both_filter`", tests=tests)
    assert run(checkout, "Both").problems == ()


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"rows": 1}, []),
        ({"rows": 2}, ["DET105"]),
        ({"negative": True}, ["DET104"]),
        ({"risk_events": [("seen on ws-117.northmoor.example", 1)]}, []),
        ({"risk_events": [("seen on ws-117.northmoor.example", 2)]}, ["FND201"]),
        ({"risk_events": [("other", 1)]}, ["FND201", "FND201"]),
    ],
)
def test_what_a_test_asks_exactly(
    changes: dict[str, Any], codes: list[str], checkout: Path
) -> None:
    test: dict[str, Any] = {
        "name": "finds",
        "attack_data": [{"data": "tests/attack.xml", **SYSMON}],
        **changes,
    }
    if "risk_events" in changes:
        test["risk_events"] = [
            {
                "risk_object": "ws-117.northmoor.example",
                "risk_object_type": "system",
                "risk_score": 50,
                "risk_message": message,
                "count": count,
            }
            for message, count in changes["risk_events"]
        ]
    write_detection(checkout, "Finds", "cmd.exe", tests=[test])
    assert [p.code for p in run(checkout, "Finds").problems] == codes


def test_a_drilldown_that_cannot_run_is_told_with_its_fault(checkout: Path) -> None:
    broken = {
        "name": "broken",
        "search": "| nosuchcommand",
        "earliest_offset": "$info_min_time$",
        "latest_offset": "$info_max_time$",
    }
    write_detection(checkout, "Finds", "cmd.exe", drilldown_searches=[broken])
    options = TestOptions(now=NOW, drilldowns=True)
    result = run(checkout, "Finds", options)
    assert [p.code for p in result.problems] == ["SPL101"]
    assert run(checkout, "Finds").passed


def test_the_lost_event_is_not_looked_for_where_nobody_asks(checkout: Path) -> None:
    write_detection(checkout, "Misses", "calc.exe")
    asked = run(checkout, "Misses")
    assert asked.nearest is not None
    assert "process_name=calc.exe" in str(asked.problems[0].hint)
    silent = run(checkout, "Misses", TestOptions(now=NOW, nearest=0))
    assert (silent.nearest, silent.problems[0].hint) == (None, None)


def test_data_that_is_gone_when_it_is_read(checkout: Path) -> None:
    write_detection(checkout, "Finds", "cmd.exe")
    content = load([checkout])
    detection = content.detection("Finds")
    (checkout / "tests" / "attack.xml").unlink()
    (result,) = run_all_tests([detection], content)
    assert (result.outcome, result.reason) == (Outcome.MISSING, "no file tests/attack.xml")
    no_data = replace(detection, tests=(replace(detection.tests[0], attack_data=()),))
    (result,) = run_all_tests([no_data], content)
    assert (result.outcome, result.reason) == (Outcome.MISSING, "it has no data")
