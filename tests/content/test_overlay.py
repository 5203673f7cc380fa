from __future__ import annotations

from pathlib import Path

import pytest

from escudo import content
from escudo.content import Schedule, Throttling
from tests.content.yaml_files import DETECTION, put

ALL = """\
change: a detection
enabled: false
filter: search NOT dest="x"
risk_score: 60
scheduling: {cron_schedule: '*/5 * * * *', earliest_time: -15m@m, latest_time: -5m@m}
throttling: {fields: [dest], period: 1h}
replace:
- {from: by Processes.dest, to: by Processes.user}
"""


def load(tmp_path: Path, overlay: str) -> content.Content:
    put(tmp_path, "up/a.yml", DETECTION)
    put(tmp_path, "over/o.yml", overlay)
    return content.load([tmp_path / "up"], overlay=tmp_path / "over", builtin=False)


def test_everything_that_can_be_changed(tmp_path: Path) -> None:
    loaded = load(tmp_path, ALL)
    assert loaded.diagnostics == ()
    (found,) = loaded.detections
    assert not found.enabled
    assert found.risk is not None
    assert found.risk.score == 60
    assert found.schedule == Schedule("*/5 * * * *", "-15m@m", "-5m@m")
    assert found.tags.throttling == Throttling(("dest",), 3600)
    assert "by Processes.user |" in found.search
    macro = loaded.knowledge.macro("a_detection_filter", 0)
    assert macro is not None
    assert macro.definition == 'search NOT dest="x"'


def test_several_changes_in_one_file_by_id(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        "changes:\n- change: 11111111-2222-3333-4444-555555555555\n  enabled: false\n"
        "- {change: A Detection, risk_score: 1}\n",
    )
    assert loaded.diagnostics == ()
    assert not loaded.detections[0].enabled
    assert loaded.detections[0].risk is not None
    assert loaded.detections[0].risk.score == 1


def test_ordinary_files_replace_upstream(tmp_path: Path) -> None:
    put(tmp_path, "over/m.yml", "name: summariesonly_config\ndefinition: 'true'\n")
    loaded = load(tmp_path, "change: A Detection\nenabled: true\n")
    macro = loaded.knowledge.macro("summariesonly_config", 0)
    assert macro is not None
    assert macro.definition == "true"


@pytest.mark.parametrize(
    ("overlay", "code"),
    [
        ("change: Nothing Like It\nenabled: false\n", "CON301"),
        ("change: A Detection\nreplace: [{from: gone, to: x}]\n", "CON302"),
        ("change: A Detection\nreplace: [{from: Processes, to: x}]\n", "CON302"),
        ("change: A Detection\nenable: false\n", "CON105"),
        ("change: A Detection\nenabled: flase\n", "CON102"),
    ],
)
def test_changes_that_do_not_fit_are_reported_and_change_nothing(
    tmp_path: Path, overlay: str, code: str
) -> None:
    loaded = load(tmp_path, overlay)
    assert [d.code for d in loaded.diagnostics] == [code]
    assert loaded.diagnostics[0].span is not None
    assert loaded.detections[0].enabled
