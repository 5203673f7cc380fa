"""The demo, as `make demo` runs it: what it says at the end is what the answer file knows."""

from __future__ import annotations

import re

from tests.cli.conftest import Run


def test_demo_finds_what_was_planted(escudo: Run) -> None:
    done = escudo("demo")
    assert done.returncode == 0, done.stderr
    shown = done.stdout
    assert "Process Execution via WMI: 9 of 9 planted processes found, 0 others" in shown
    assert "T1047" in shown
    assert "Processes around the riskiest hit" in shown
    assert shown.count("Drilldown: ") == 2
    # What the correlation summed up is the risk that the table below has for the object.
    (total,) = re.findall(r"│ (\d+) │ system │ DC01\.meridian\.example ", shown)
    assert f"system dc01.meridian.example  risk {total}  sysmon.xml" in shown


def test_demo_of_another_day(escudo: Run) -> None:
    """Few attacks and little risk: no rule over the risk index has a row."""
    done = escudo("demo", "--events", "3000", "--seed", "5")
    assert done.returncode == 0, done.stderr
    assert "planted processes found, 0 others reported" in done.stdout
