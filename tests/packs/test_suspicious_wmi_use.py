"""The starter pack: its tests pass, its data is what its script makes, contentctl accepts it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from escudo.actions.engines import make_engines
from escudo.actions.run_tests import plan_tests
from escudo.actions.synthesise import synthesise_detections
from escudo.content import Content, load
from escudo.content.starter_packs import find_starter_pack, list_starter_packs, resolve_pack
from escudo.core.errors import EscudoError
from escudo.detect.attack_data import DataFinder
from escudo.detect.why import Why
from escudo.lake.tables import load_tables
from tests.detection_tests import run_all_tests, share_lakes
from tests.findings.matches import NOW
from tests.packs.escu5 import write_escu5
from tests.packs.wmi_events import TESTS, list_files
from tests.shared_data import SHARED, needs_shared

PACK = find_starter_pack("suspicious-wmi-use")
EVIDENCE = {
    "Sysmon EventID 1",
    "Sysmon EventID 19",
    "Sysmon EventID 20",
    "Sysmon EventID 21",
    "Windows Event Log Security 4688",
    "Windows Event Log Security 4624",
    "CrowdStrike ProcessRollup2",
    "Powershell Script Block Logging 4104",
    "Windows Event Log WMI Activity 5857",
    "Windows Event Log WMI Activity 5858",
    "Windows Event Log WMI Activity 5860",
    "Windows Event Log WMI Activity 5861",
}


@pytest.fixture(scope="module")
def pack() -> Content:
    return load([PACK], builtin=False)


@pytest.fixture(scope="module")
def loaded() -> Content:
    """The pack with what comes with Escudo: the macros that it uses are of both."""
    return load([PACK])


def test_the_pack_loads_without_a_word(pack: Content) -> None:
    assert pack.diagnostics == ()
    assert len(pack.detections) == 15
    assert {s.name for s in pack.stories} == {"Suspicious WMI Use"}
    assert {s for d in pack.detections for s in d.tags.analytic_story} == {"Suspicious WMI Use"}
    assert {s for d in pack.detections for s in d.data_source} == EVIDENCE
    assert {s.name for s in pack.data_sources} == EVIDENCE


def test_each_detection_has_an_attack_and_events_that_look_alike(pack: Content) -> None:
    assert sorted(Path(d.origin.file).stem for d in pack.detections) == sorted(TESTS)
    for detection in pack.detections:
        assert [t.negative for t in detection.tests] == [False, True], detection.name
        assert detection.tests[0].rows, detection.name
        assert len(detection.drilldowns) == 2, detection.name


def test_the_data_is_what_the_script_makes() -> None:
    made = list_files()
    there = {
        file.relative_to(PACK).as_posix(): file.read_text("utf-8")
        for file in (PACK / "tests").rglob("*")
        if file.is_file()
    }
    assert there == made


@pytest.mark.slow
def test_all_its_tests_pass_with_their_drilldowns(loaded: Content) -> None:
    own = [d for d in loaded.detections if d.origin.layer != "builtin"]
    results = run_all_tests(own, loaded)
    assert [(r.test.name, r.problems, r.reason) for r in results if not r.passed] == []
    assert len(results) == 30
    assert Counter(len(r.drilldowns) for r in results) == {2: 15, 0: 15}


@pytest.mark.slow
def test_what_looks_alike_fails_only_a_few_conditions(pack: Content, loaded: Content) -> None:
    """The benign events are near misses, not events that the search never reads."""
    engine_of = make_engines("duckdb")
    for planned in plan_tests(pack.detections, DataFinder()):
        if not planned.test.negative:
            continue
        detection = planned.detection
        events = share_lakes().hold(planned.files).catalog
        why = Why(detection.search, engine_of(events), events, loaded.knowledge, now=NOW)
        (nearest, *_) = why.explain_nearest(1).candidates
        assert nearest.matched is False, detection.name
        assert 1 <= nearest.failed <= 3, detection.name


@pytest.mark.slow
def test_all_of_it_is_synthesised(pack: Content, loaded: Content) -> None:
    report = synthesise_detections(
        pack.detections, loaded, load_tables(), engine_of=make_engines("duckdb")
    )
    counts = report.summarise()
    assert counts["failed"] == []
    assert [counts[name] for name in ("fired", "near_misses_fired")] == [15, 0]
    misses = {o.detection.name: len(o.synthesis.near_misses) for o in report.outcomes}
    assert min(misses.values()) > 0, misses


_NAMED = re.compile(r"^(?:name|id): *(.*\S)", re.MULTILINE)


@needs_shared
def test_no_name_or_id_is_upstreams(pack: Content) -> None:
    assert SHARED is not None
    files = [
        file.read_text("utf-8")
        for version in ("security_content_5", "security_content_6")
        for file in (SHARED / version / "detections").rglob("*.yml")
    ]
    taken = {named.strip("'\"").lower() for text in files for named in _NAMED.findall(text)}
    assert len(taken) > 1000
    own = {d.name.lower() for d in pack.detections} | {d.id for d in pack.detections}
    assert own & taken == set()


def test_a_pack_is_named_where_content_is() -> None:
    assert list_starter_packs() == ("suspicious-wmi-use",)
    assert resolve_pack("pack:suspicious-wmi-use") == str(PACK)
    with pytest.raises(EscudoError, match="CON003"):
        resolve_pack("pack:other")


CONTENTCTL = os.environ.get("ESCUDO_CONTENTCTL") or shutil.which("contentctl")


@pytest.mark.slow
@pytest.mark.skipif(
    CONTENTCTL is None,
    reason="contentctl is not installed (`pip install contentctl==5.6.2` into an environment of"
    " its own; ESCUDO_CONTENTCTL names the program)",
)
def test_contentctl_accepts_its_escu_5_form(tmp_path: Path) -> None:
    assert CONTENTCTL is not None
    write_escu5(PACK, tmp_path)
    done = subprocess.run(
        [CONTENTCTL, "validate", "--path", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # It notices what is wrong, so that its silence means something.
    file = tmp_path / "detections/endpoint/wmic_ran_an_xsl_script.yml"
    file.write_text(file.read_text("utf-8").replace("type: process", "type: hostname"), "utf-8")
    again = subprocess.run(
        [CONTENTCTL, "validate", "--path", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert again.returncode != 0
