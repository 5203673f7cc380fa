"""What `escudo validate` shows, and what its exit code says; its checks are in content/broken."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.content.test_broken import BROKEN, lay_out
from tests.tested_content import PACK

STIX = {
    "type": "bundle",
    "objects": [
        {
            "type": "attack-pattern",
            "id": f"attack-pattern--{n}",
            "external_references": [{"source_name": "mitre-attack", "external_id": identity}],
            **more,
        }
        for n, (identity, more) in enumerate(
            [("T1047", {}), ("T1059", {"revoked": True}), ("T1059.003", {})]
        )
    ]
    + [
        {
            "type": "relationship",
            "relationship_type": "revoked-by",
            "source_ref": "attack-pattern--1",
            "target_ref": "attack-pattern--0",
        }
    ],
}
"""Three techniques: one was revoked, and replaced by the first."""

MINIMAL = "name: A\nid: {id}\ntype: Hunting\nsearch: index=main error\n"


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A repository with one error and one warning, in this order of its files."""
    lay_out("asset_type", tmp_path)
    shutil.copytree(BROKEN / "filter_macro_not_last" / "input", tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.mark.slow
def test_nothing_is_said_of_a_starter_pack(escudo: Run) -> None:
    done = escudo("validate", f"pack:{PACK.name}", "--strict", "--quiet", "--format", "json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["problems"], report["detections"]["total"]) == (0, [], 15)


@pytest.mark.slow
def test_levels(mixed: Path, escudo: Run) -> None:
    report = json.loads(escudo("validate", mixed, "--quiet", "--format", "json").stdout)
    assert report["counts"] == {"error": 1, "warning": 1, "info": 0}
    assert [p["code"] for p in report["problems"]] == ["CON421", "CON420"]
    only = escudo("validate", mixed, "--quiet", "--format", "json", "--level", "error")
    assert [p["code"] for p in json.loads(only.stdout)["problems"]] == ["CON420"]
    shown = escudo("validate", mixed, "--quiet", "--format", "table")
    assert shown.returncode == 1
    place = f"{mixed}/detections/endpoint/shell_started_by_wmi.yml:47:15"
    assert f"error[CON420] {place}: asset_type 'endpoint' is none that is known" in shown.stdout
    assert "help: did you mean 'Endpoint'?" in shown.stdout
    assert "1 errors, 1 warnings, 0 notes" in shown.stdout


@pytest.mark.slow
def test_warnings_fail_if_asked(tmp_path: Path, escudo: Run) -> None:
    lay_out("filter_macro_not_last", tmp_path)
    assert escudo("validate", tmp_path, "--quiet").returncode == 0
    assert escudo("validate", tmp_path, "--quiet", "--strict").returncode == 1
    assert escudo("validate", tmp_path, "--quiet", "--level", "loud").returncode == 2


@pytest.mark.slow
def test_sarif(mixed: Path, escudo: Run) -> None:
    log = json.loads(escudo("validate", mixed, "--quiet", "--format", "sarif").stdout)
    results = log["runs"][0]["results"]
    assert [(r["ruleId"], r["level"]) for r in results] == [
        ("CON421", "warning"),
        ("CON420", "error"),
    ]
    region = results[1]["locations"][0]["physicalLocation"]["region"]
    assert (region["startLine"], region["startColumn"], region["endColumn"]) == (47, 15, 23)
    rules = log["runs"][0]["tool"]["driver"]["rules"]
    assert all(r["shortDescription"]["text"] and r["help"]["text"] for r in rules)


@pytest.mark.slow
def test_a_stix_file_says_which_techniques_there_are(tmp_path: Path, escudo: Run) -> None:
    lay_out("technique_unknown", tmp_path)
    stix = tmp_path / "attack.json"
    stix.write_text(json.dumps(STIX))
    done = escudo("validate", tmp_path, "--attack", stix, "--quiet", "--format", "json")
    told = [
        (p["severity"], p["code"], p["message"], p["hint"])
        for p in json.loads(done.stdout)["problems"]
    ]
    assert told == [
        (
            "error",
            "CON427",
            f"{stix} has withdrawn T1059",
            "it was replaced by T1047",
        ),
        ("error", "CON427", f"{stix} has no technique T1999", None),
    ]
    stix.write_text("{}")
    done = escudo("validate", tmp_path, "--attack", stix, "--quiet")
    assert done.returncode == 1
    assert "CON471" in done.stderr


@pytest.mark.slow
def test_content_that_is_only_referred_to(tmp_path: Path, escudo: Run) -> None:
    known, own = tmp_path / "known", tmp_path / "own"
    lay_out("asset_type", known)
    (own / "detections").mkdir(parents=True)
    name = "many_shells_on_one_host.yml"
    (known / "detections/endpoint" / name).rename(own / "detections" / name)
    shutil.copy(known / "contentctl.yml", own)
    alone = json.loads(escudo("validate", own, "--quiet", "--format", "json").stdout)
    assert {"CON422", "CON423", "SPL110"} == {p["code"] for p in alone["problems"]}
    done = escudo("validate", own, "--content", known, "--quiet", "--format", "json")
    report = json.loads(done.stdout)
    assert report["problems"] == []
    assert report["detections"]["total"] == 1
    assert done.returncode == 0


@pytest.mark.slow
def test_a_folder_without_contentctl_is_not_held_to_its_ways(tmp_path: Path, escudo: Run) -> None:
    (tmp_path / "a.yml").write_text(MINIMAL.format(id="51f0a3d4-2b6c-4e7f-8a90-1c2d3e4f5a66"))
    done = escudo("validate", tmp_path, "--quiet", "--format", "json")
    report = json.loads(done.stdout)
    assert report["counts"]["error"] == 0
    assert report["counts"]["warning"] > 5
    assert done.returncode == 0
