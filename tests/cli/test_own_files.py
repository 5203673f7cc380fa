"""A user's own YAML: filters that nobody defined, one place for one fault, overlays that err."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run, json_lines
from tests.cli.test_wrong_input import DETECTION, GOOD

SEARCH = (
    "| tstats count from datamodel=Endpoint.Processes by Processes.dest\n"
    "  | `drop_dm_object_name(Processes)` | statz count\n  | `own_filter`"
)
EVENT = '{"dest": "ws01"}'


def _write(folder: Path, search: str, name: str = "Own") -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / "own.yml"
    file.write_text(DETECTION.format(name=name, number=1, search=search))
    return file


@pytest.mark.parametrize("shown", [["explain"], ["lint"], ["why", "--event", EVENT]])
def test_a_filter_that_nobody_defines_lets_everything_pass(
    shown: list[str], escudo: Run, tmp_path: Path
) -> None:
    file = _write(tmp_path / "content", SEARCH.replace("statz", "stats"))
    done = escudo(shown[0], file, *shown[1:])
    assert done.returncode == 0, done.stderr
    assert "SPL110" not in done.stdout + done.stderr


def test_a_file_may_define_what_its_folder_uses(escudo: Run, tmp_path: Path) -> None:
    _write(tmp_path / "content", "| makeresults | `mine`")
    (tmp_path / "content" / "mine.yml").write_text("name: mine\ndefinition: eval a=1\n")
    done = escudo("explain", tmp_path / "content")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)[0]["search"] == "| makeresults | eval a=1"


def test_a_fault_has_one_place_everywhere(escudo: Run, tmp_path: Path) -> None:
    folder = tmp_path / "content"
    file = _write(folder, SEARCH)
    log = tmp_path / "good.xml"
    log.write_text(GOOD)
    line, text = next(
        (n, t) for n, t in enumerate(file.read_text().splitlines(), 1) if "statz" in t
    )
    place = f"{file}:{line}:{text.index('statz') + 1}"
    for command in (
        ("explain", file),
        ("explain", folder),
        ("why", file, "--event", EVENT),
        ("hunt", log, "--content", folder, "--quiet"),
    ):
        done = escudo(*command)
        assert done.returncode == 1
        assert f"error[SPL101] {place}: unknown command 'statz'" in done.stderr, command
    linted = escudo("lint", file)
    told = [f"{d['file']}:{d['line']}:{d['column']}" for d in json_lines(linted.stdout)]
    assert (linted.returncode, told) == (1, [place])
    checked = json.loads(escudo("validate", folder, "--quiet").stdout)
    (failed,) = checked["detections"]["failed"]
    assert f"{failed['file']}:{failed['line']}:{failed['column']}" == place
    assert f"error[SPL101] {place}:" in escudo("validate", folder, "--format", "table").stdout


def test_notes_are_no_warnings(escudo: Run) -> None:
    done = escudo("lint", 'index=* CommandLine="*-enc*" | stats count', "--format", "text")
    severities = [line.partition("[")[0] for line in done.stdout.splitlines() if "[SPL" in line]
    warnings, notes = severities.count("warning"), severities.count("info")
    assert done.stdout.splitlines()[-1] == f"0 errors, {warnings} warnings, {notes} notes"
    assert notes


@pytest.mark.parametrize(
    ("overlay", "code"),
    [
        ("change: Own\nfitler: search a=1\n", "CON105"),
        ("change: Own\ncolour: red\n", "CON105"),
        ("chnage: Own\nenabled: false\n", "CON107"),
        ("changes:\n- {change: Own, risk_score: 1}\nremark: x\n", "CON105"),
        ("name: m\ndefinition: x\nremark: x\n", "CON105"),
        ("change: Nothing Like It\nenabled: false\n", "CON301"),
    ],
)
def test_an_overlay_that_errs_is_told_by_the_exit_code(
    overlay: str, code: str, escudo: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "content"
    _write(folder, "| makeresults")
    (tmp_path / "over").mkdir()
    (tmp_path / "over" / "o.yml").write_text(overlay)
    done = escudo("explain", "Own", "--content", folder, "--overlay", tmp_path / "over")
    assert done.returncode == 1
    assert f"error[{code}] {tmp_path / 'over' / 'o.yml'}:" in done.stderr
    assert json.loads(done.stdout)[0]["search"] == "| makeresults"


@pytest.mark.parametrize("command", [("explain", "Own"), ("why", "Own", "--event", EVENT)])
def test_a_disabled_detection_says_so(
    command: tuple[str, ...], escudo: Run, tmp_path: Path
) -> None:
    _write(tmp_path / "content", "| makeresults")
    (tmp_path / "over").mkdir()
    (tmp_path / "over" / "o.yml").write_text("change: Own\nenabled: false\n")
    done = escudo(*command, "--content", tmp_path / "content", "--overlay", tmp_path / "over")
    assert "note: Own is disabled by the content: a hunt leaves it out" in done.stderr
