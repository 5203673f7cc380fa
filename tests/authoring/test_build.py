"""`escudo build`: what an app holds is what the content holds, and Splunk's own tool has nothing
against it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from escudo import content as contents
from escudo.authoring.apps.conf_text import write_conf
from escudo.content import Content, RiskConfig
from escudo.content.apps.conf import read_conf
from escudo.content.loading import BUILTIN_FOLDER
from escudo.core.catalog import Lookup
from tests.cli.conftest import Run
from tests.shared_data import SHARED, needs_shared

APPINSPECT = os.environ.get("ESCUDO_APPINSPECT")
_ORIGINAL = "%original_detection_search%"


def build(escudo: Run, *paths: Path, output: Path, **options: object) -> dict[str, Any]:
    given = [part for key, value in options.items() for part in (f"--{key}", value)]
    done = escudo("build", *paths, "-o", output, "--format", "json", *given)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Escudo's own content as somebody else's, with a lookup and a collection."""
    folder = tmp_path_factory.mktemp("own") / "content"
    shutil.copytree(BUILTIN_FOLDER, folder)
    values = {
        "name": "seen_hosts",
        "lookup_type": "kvstore",
        "date": "2024-05-14",
        "fields": ["_key", "dest"],
    }
    (folder / "lookups" / "seen_hosts.yml").write_text(yaml.safe_dump(values))
    table = {
        "name": "tools",
        "lookup_type": "csv",
        "date": "2024-05-14",
        "match_type": ["WILDCARD(process)"],
        "case_sensitive_match": False,
        "min_matches": 1,
        "default_match": "unknown",
    }
    (folder / "lookups" / "tools.yml").write_text(yaml.safe_dump(table))
    (folder / "lookups" / "tools.csv").write_text("process,use\n*wmic*,remote\n")
    return folder


def rows(lookup: Lookup) -> bytes | None:
    return Path(lookup.path).read_bytes() if lookup.path and Path(lookup.path).is_file() else None


def describe_risk(risk: RiskConfig | None) -> Any:
    """With the message of each object: its own, or that of all."""
    if risk is None:
        return None
    objects = [replace(o, message=o.message or risk.message) for o in risk.risk_objects]
    return risk.message, objects, risk.threat_objects


def describe(content: Content) -> Mapping[str, Any]:
    """What of content an app can hold, without places and file names."""
    theirs = [d for d in content.detections if d.origin.layer != "builtin"]
    return {
        "detections": {
            d.name: (
                (d.search, d.search_name, d.id, d.version, d.type, d.status, d.date),
                (d.how_to_implement, d.known_false_positives, d.data_source),
                (d.tags.analytic_story, d.tags.mitre_attack_id, d.tags.product, d.tags.cve),
                d.tags.throttling,
                d.schedule or content.deployments[d.type].schedule,
                describe_risk(d.risk),
                [
                    (x.name, x.search.replace(_ORIGINAL, d.search), x.earliest_offset)
                    for x in d.drilldowns
                ],
            )
            for d in theirs
        },
        "baselines": {
            b.name: (b.search, b.id, b.version, b.date, b.how_to_implement)
            for b in content.baselines
        },
        "investigations": {i.name: (i.search, i.id, i.version) for i in content.investigations},
        "macros": {(m.name, m.arguments): (m.definition, m.is_eval) for m in content.macros},
        "lookups": {
            k.name: (replace(k, path=None, span=None, writer=None), rows(k))
            for k in content.lookups
            if k.span is not None and not k.name.startswith("__mlspl_")  # the toolkit finds them
        },
        "stories": {
            s.name: (s.description, s.narrative, s.references, s.version, s.date)
            for s in content.stories
        },
    }


def check_round_trip(content: Path, archive: Path) -> Mapping[str, Any]:
    """Holds what the app says against what the content says; what the app says."""
    before, after = contents.load([content]), contents.load([archive])
    assert after.failed_files == 0
    expected, found = describe(before), describe(after)
    for kind, elements in expected.items():
        if kind == "detections":  # the app has risk only where the type's deployment makes it
            risky = {d.name for d in before.detections if before.deployments[d.type].risk}
            for name, said in elements.items():
                want = said if name in risky else (*said[:5], None, said[6])
                assert found[kind][name] == want
        for name, said in elements.items():
            if kind != "detections":
                assert found[kind].get(name) == said, (kind, name)
    assert {k: found[k].keys() - expected[k].keys() for k in found if k != "macros"} == {
        k: set() for k in found if k != "macros"
    }
    # Filters that nobody defined are there, and let everything pass.
    extra = found["macros"].keys() - expected["macros"].keys()
    assert all(name.endswith("_filter") for name, _ in extra)
    assert {found["macros"][key][0] for key in extra} <= {"search *"}
    return found


def test_own_content_comes_back(escudo: Run, own: Path, tmp_path: Path) -> None:
    told = build(escudo, own, output=tmp_path)
    assert (told["detections"], told["appid"], told["label"]) == (3, "ContentPack", "ESCU")
    found = check_round_trip(own, Path(told["archive"]))
    assert found["lookups"]["tools"][1] == b"process,use\n*wmic*,remote\n"


def test_a_table_is_named_after_its_day_and_a_collection_declared(
    escudo: Run, own: Path, tmp_path: Path
) -> None:
    """As contentctl: an update of an app must not meet a table that a user has changed."""
    archive = Path(build(escudo, own, output=tmp_path)["archive"])
    with tarfile.open(archive) as app:
        names = app.getnames()
        collections = app.extractfile("ContentPack/default/collections.conf")
        assert collections is not None
        assert "[seen_hosts]\n" in collections.read().decode()
    assert "ContentPack/lookups/tools_20240514.csv" in names
    assert "ContentPack/lookups/tools.csv" not in names


def test_the_same_content_gives_the_same_bytes(escudo: Run, own: Path, tmp_path: Path) -> None:
    elsewhere = shutil.copytree(own, tmp_path / "copy")
    for file in elsewhere.rglob("*"):
        os.utime(file, (1, 1))
    first = build(escudo, own, output=tmp_path / "a")
    second = build(escudo, elsewhere, output=tmp_path / "b")
    assert first["sha256"] == second["sha256"]
    a, b = Path(first["archive"]).read_bytes(), Path(second["archive"]).read_bytes()
    assert a == b


def test_detections_run_where_they_say_so(escudo: Run, own: Path, tmp_path: Path) -> None:
    def runs(archive: str) -> set[str]:
        return {d.name for d in contents.load([archive], builtin=False).detections if d.enabled}

    assert runs(build(escudo, own, output=tmp_path)["archive"]) == set()
    done = escudo("build", own, "-o", tmp_path, "--enable", "--format", "json")
    assert len(runs(json.loads(done.stdout)["archive"])) == 3
    folder = shutil.copytree(own, tmp_path / "copy")
    file = folder / "detections" / "process_execution_via_wmi.yml"
    file.write_text(file.read_text("utf-8") + "enabled_by_default: true\n")
    told = build(escudo, folder, output=tmp_path)
    assert runs(told["archive"]) == {"Process Execution via WMI"}


def test_an_overlay_is_built_in(escudo: Run, own: Path, tmp_path: Path) -> None:
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    change = {
        "change": "Process Execution via WMI",
        "filter": 'search NOT user="SYSTEM"',
        "risk_score": 61,
        "throttling": {"fields": ["dest", "user"], "period": "90m"},
    }
    (overlay / "wmi.yml").write_text(yaml.safe_dump(change))
    told = build(escudo, own, output=tmp_path, overlay=overlay, label="Mine", version="2.0.0")
    app = contents.load([told["archive"]], builtin=False)
    detection = app.detection("Process Execution via WMI")
    assert detection.search_name == "Mine - Process Execution via WMI - Rule"
    assert detection.risk is not None
    assert {o.score for o in detection.risk.risk_objects} == {61}
    assert detection.tags.throttling is not None
    assert detection.tags.throttling.seconds == 5400
    macro = app.knowledge.macro("process_execution_via_wmi_filter", 0)
    assert macro is not None
    assert macro.definition == 'search NOT user="SYSTEM"'
    assert Path(told["archive"]).name == "ContentPack-2.0.0.tgz"


def test_what_cannot_be_built_is_told(escudo: Run, own: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    (empty / "detections").mkdir(parents=True)
    damaged = shutil.copytree(own, tmp_path / "damaged")
    (damaged / "detections" / "broken.yml").write_text("name: [1")
    for folder, option, code in (
        (empty, (), "AUT010"),
        (damaged, (), "AUT011"),
        (own, ("--appid", "a b"), "AUT012"),
        (own, ("--appid", "../up"), "AUT012"),
        (own, ("--version", "two"), "AUT012"),
    ):
        done = escudo("build", folder, "-o", tmp_path / "out", *option)
        assert (done.returncode, code in done.stderr) == (1, True), done.stderr
    assert not list((tmp_path / "out").glob("*"))


_LINES = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp"), include_characters="\t"),
    max_size=30,
)
_VALUES = st.lists(_LINES, min_size=1, max_size=4).map(lambda lines: "\n".join(lines).strip())


@given(st.dictionaries(st.from_regex(r"[a-z.]{1,8}", fullmatch=True), _VALUES, max_size=4))
def test_a_conf_file_is_read_as_it_was_written(settings: dict[str, str]) -> None:
    conf = read_conf("a.conf", write_conf([("one", settings), ("two", {"last": "x"})]))
    assert {k: s.value for k, s in conf.stanzas["one"].items()} == settings
    assert conf.stanzas["two"]["last"].value == "x"


@pytest.mark.slow
@needs_shared
@pytest.mark.parametrize("name", ["security_content_5", "security_content_6"])
def test_real_content_comes_back(escudo: Run, tmp_path: Path, name: str) -> None:
    assert SHARED is not None
    told = build(escudo, SHARED / name, output=tmp_path)
    check_round_trip(SHARED / name, Path(told["archive"]))


@pytest.mark.slow
@pytest.mark.skipif(APPINSPECT is None, reason="ESCUDO_APPINSPECT names no splunk-appinspect")
def test_appinspect_has_nothing_against_it(escudo: Run, own: Path, tmp_path: Path) -> None:
    archive = build(escudo, own, output=tmp_path)["archive"]
    assert APPINSPECT is not None
    report = tmp_path / "report.json"
    subprocess.run(
        [APPINSPECT, "inspect", archive, "--data-format", "json", "--output-file", str(report)],
        check=True,
        capture_output=True,
        timeout=300,
    )
    checks = [
        c
        for g in json.loads(report.read_text("utf-8"))["reports"][0]["groups"]
        for c in g["checks"]
    ]
    results = {c["name"]: c["result"] for c in checks}
    assert {n: r for n, r in results.items() if r not in ("success", "not_applicable")} == {
        "check_collections_conf": "warning"  # "App contains collections.conf. No action required."
    }
    assert list(results.values()).count("success") > 50
