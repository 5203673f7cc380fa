"""The starter pack: its tests pass, its data is what its script makes, contentctl accepts it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from escudo.actions.engines import make_engines
from escudo.content import Content, load
from escudo.content.starter_packs import find_pack, list_packs, resolve_pack
from escudo.core.errors import EscudoError
from escudo.detect.why import Why
from escudo.lake import Lake
from escudo.lake.ingest import ingest
from escudo.lake.normalising import make_normaliser
from escudo.lake.tables import load_tables
from tests.detection_tests import run_all_tests
from tests.findings.matches import NOW
from tests.packs.escu5 import write_escu5
from tests.packs.wmi_events import TESTS, list_files
from tests.shared_data import SHARED, needs_shared

PACK = find_pack("suspicious-wmi-use")
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
def test_all_its_tests_pass_with_their_drilldowns() -> None:
    loaded = load([PACK])
    own = [d for d in loaded.detections if d.origin.layer != "builtin"]
    results = run_all_tests(own, loaded)
    assert [(r.test.name, r.problems, r.reason) for r in results if not r.passed] == []
    assert len(results) == 30
    assert Counter(len(r.drilldowns) for r in results) == {2: 15, 0: 15}


@pytest.mark.slow
def test_what_looks_alike_fails_only_a_few_conditions(pack: Content) -> None:
    """The benign events are near misses, not events that the search never reads."""
    loaded = load([PACK])
    tables, normaliser, engine_of = load_tables(), make_normaliser(), make_engines("duckdb")
    for detection in pack.detections:
        with Lake.create_temporary(tables=tables) as lake:
            name = Path(detection.origin.file).stem
            ingest([PACK / "tests" / name / "benign.xml"], lake, normaliser=normaliser)
            snapshot = lake.snapshot()
            engine = engine_of(snapshot)
            why = Why(detection.search, engine, snapshot, loaded.knowledge, now=NOW)
            (nearest, *_) = why.explain_nearest(1).candidates
            assert nearest.matched is False, detection.name
            assert 1 <= nearest.failed <= 3, detection.name


@needs_shared
def test_no_name_or_id_is_upstreams(pack: Content) -> None:
    assert SHARED is not None
    upstream = load([SHARED / "security_content_5", SHARED / "security_content_6"], builtin=False)
    taken = {d.name.lower() for d in upstream.detections} | {d.id for d in upstream.detections}
    own = {d.name.lower() for d in pack.detections} | {d.id for d in pack.detections}
    assert own & taken == set()


def test_a_pack_is_named_where_content_is() -> None:
    assert list_packs() == ("suspicious-wmi-use",)
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
