"""`escudo diff`: fields, logic, versions that were not raised, rows won and lost."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from escudo.actions.diff import compare_content
from escudo.authoring.differences.comparing import compare_sides
from escudo.authoring.differences.sides import open_folder
from escudo.core.errors import EscudoError
from tests.authoring.git_repository import commit_all, git
from tests.cli.conftest import Run
from tests.shared_data import SHARED, needs_shared

SEARCH = """| tstats count from datamodel=Endpoint.Processes
  where Processes.process_name=`tool` by Processes.dest Processes.process
| lookup known process AS Processes.process OUTPUT note"""


def put_detection(folder: Path, name: str = "Odd Shell", **values: object) -> Path:
    usual = {
        "name": name,
        "id": f"00000000-0000-4000-8000-{len(name):012}",
        "version": 1,
        "date": "2024-05-14",
        "author": "Ada",
        "status": "production",
        "type": "Hunting",
        "description": "Finds it.",
        "search": SEARCH,
        "how_to_implement": "Collect it.",
        "known_false_positives": "None yet.",
        "tags": {"analytic_story": [], "mitre_attack_id": ["T1047"]},
    }
    return put(folder, f"detections/{name.lower().replace(' ', '_')}.yml", {**usual, **values})


def put(folder: Path, name: str, values: object) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    text = values if isinstance(values, str) else yaml.safe_dump(values, sort_keys=False)
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout with a detection that uses a macro and a lookup."""
    root = tmp_path / "content"
    put_detection(root)
    put(root, "macros/tool.yml", {"name": "tool", "definition": "wmic.exe", "description": "a"})
    put(root, "lookups/known.yml", {"name": "known", "filename": "known.csv", "version": 1})
    put(root, "lookups/known.csv", "process,note\na,b\n")
    commit_all(root)
    return root


def compare(before: Path, after: Path) -> dict[str, Any]:
    """What differs between two folders, by name of the element."""
    comparison = compare_sides(open_folder(before), open_folder(after))
    assert comparison.diagnostics == ()
    return {change.name: change for change in comparison.changes}


def copy(folder: Path) -> Path:
    before = folder.parent / "before"
    subprocess.run(["cp", "-r", str(folder), str(before)], check=True)
    return before


def test_nothing_differs(folder: Path) -> None:
    assert compare(folder, copy(folder)) == {}


def test_a_yaml_file_that_is_written_otherwise_is_the_same(folder: Path) -> None:
    before = copy(folder)
    file = folder / "detections" / "odd_shell.yml"
    values = yaml.safe_load(file.read_text("utf-8"))
    file.write_text("# the same\n" + yaml.safe_dump(values, default_flow_style=True, width=40))
    assert compare(before, folder) == {}


def test_fields_that_came_went_and_changed(folder: Path) -> None:
    before = copy(folder)
    put_detection(
        folder,
        version=2,
        author="",
        references=["https://example.org"],
        tags={"analytic_story": [], "mitre_attack_id": ["T1047", "T1059"]},
    )
    change = compare(before, folder)["Odd Shell"]
    assert [(f.path, f.state.value) for f in change.fields] == [
        ("version", "changed"),
        ("author", "removed"),
        ("tags.mitre_attack_id", "changed"),
        ("references", "added"),
    ]
    assert (change.versions, change.overdue, change.logic) == ((1, 2), False, None)


@pytest.mark.parametrize(
    ("search", "meaning"),
    [
        (SEARCH.replace("\n", " "), "layout"),
        (SEARCH.replace("  where", "      where"), "layout"),
        (SEARCH.replace(" AS ", " as ").replace("OUTPUT", "output"), "layout"),
        (SEARCH + " ```a comment```", "layout"),
        (SEARCH.replace("`tool`", "wmic.exe"), "layout"),  # it is what the macro says
        (SEARCH.replace("count from", "count min(_time) as first from"), "changed"),
        (SEARCH.replace("by Processes.dest", "by Processes.user"), "changed"),
        (SEARCH.replace("=`tool`", "!=`tool`"), "changed"),
        (SEARCH + "| where count > 5", "changed"),
    ],
)
def test_searches_are_compared_by_their_trees(folder: Path, search: str, meaning: str) -> None:
    before = copy(folder)
    put_detection(folder, search=search)
    change = compare(before, folder)["Odd Shell"]
    assert change.logic is not None
    assert (change.logic.meaning.value, change.overdue) == (meaning, meaning == "changed")
    assert bool(change.logic.lines) == (meaning == "changed")


def test_a_macro_that_a_detection_uses_counts(folder: Path) -> None:
    before = copy(folder)
    put(folder, "macros/tool.yml", {"name": "tool", "definition": "*mic.exe", "description": "a"})
    changes = compare(before, folder)
    logic = changes["Odd Shell"].logic
    assert (logic.meaning.value, logic.through) == ("same", ("macro tool",))
    assert changes["Odd Shell"].finds_other_rows
    assert not changes["Odd Shell"].overdue  # its own file is as it was
    assert changes["tool"].logic.meaning.value == "changed"


def test_a_macro_in_a_macro_counts(folder: Path) -> None:
    put(folder, "macros/tool.yml", {"name": "tool", "definition": "`inner`", "description": "a"})
    put(folder, "macros/inner.yml", {"name": "inner", "definition": "a.exe", "description": "a"})
    before = copy(folder)
    put(folder, "macros/inner.yml", {"name": "inner", "definition": "b.exe", "description": "a"})
    assert compare(before, folder)["Odd Shell"].logic.through == ("macro inner",)


def test_a_lookup_that_a_detection_uses_counts_with_its_rows(folder: Path) -> None:
    before = copy(folder)
    put(folder, "lookups/known.csv", "process,note\na,b\nc,d\n")
    changes = compare(before, folder)
    assert changes["Odd Shell"].logic.through == ("lookup known",)
    (rows,) = changes["known"].fields
    assert (rows.path, rows.before, rows.after) == ("rows", "-0", "+1")
    assert changes["known"].overdue


def test_what_a_detection_does_not_use_leaves_it_alone(folder: Path) -> None:
    before = copy(folder)
    put(folder, "macros/other.yml", {"name": "other", "definition": "x", "description": "a"})
    assert list(compare(before, folder)) == ["other"]


def test_an_element_that_is_renamed_is_found_by_its_id(folder: Path) -> None:
    before = copy(folder)
    (folder / "detections" / "odd_shell.yml").unlink()
    file = put_detection(folder, "Odder One", version=2)  # as long, so its id is the same
    change = compare(before, folder)["Odder One"]
    assert [f.path for f in change.fields] == ["name", "version"]
    file.unlink()
    assert compare(before, folder)["Odd Shell"].state.value == "removed"


def test_a_version_that_is_lower_is_told(folder: Path) -> None:
    put_detection(folder, version=3)
    before = copy(folder)
    put_detection(folder, version=2)
    assert compare(before, folder)["Odd Shell"].overdue


def run(escudo: Run, *arguments: object, code: int = 0) -> dict[str, Any]:
    done = escudo("diff", *arguments, "--format", "json")
    assert done.returncode == code, done.stdout + done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_a_folder_and_a_ref_of_its_repository(escudo: Run, folder: Path) -> None:
    put_detection(folder, search=SEARCH + "| where count > 5")
    told = run(escudo, "HEAD:.", folder, code=1)
    assert told["versions_not_raised"] == ["Odd Shell"]
    assert told["counts"] == {"detection": {"added": 0, "removed": 0, "changed": 1}}
    assert told["changes"][0]["file"] == "detections/odd_shell.yml"
    # A folder of the checkout: the macros and lookups beside it count, and are not compared.
    put(folder, "macros/tool.yml", {"name": "tool", "definition": "*mic.exe", "description": "a"})
    told = run(escudo, "HEAD:detections", folder / "detections", code=1)
    assert [c["name"] for c in told["changes"]] == ["Odd Shell"]
    assert told["changes"][0]["logic"]["through"] == ["macro tool"]


def test_tags_and_folders_of_a_commit(escudo: Run, folder: Path) -> None:
    put_detection(folder, version=2, search=SEARCH + "| where count > 5")
    put_detection(folder, "New One")
    commit_all(folder)
    told = run(escudo, folder, "HEAD")
    assert told["changes"] == []
    git(folder, "tag", "v1", "HEAD~1")
    told = run(escudo, "v1:detections", folder / "detections")
    assert {c["name"]: c["state"] for c in told["changes"]} == {
        "New One": "added",
        "Odd Shell": "changed",
    }
    assert told["versions_not_raised"] == []


def test_exit_code_asks_for_any_difference(escudo: Run, folder: Path) -> None:
    before = copy(folder)
    put_detection(folder, "New One")
    assert escudo("diff", before, folder).returncode == 0
    assert escudo("diff", before, folder, "--exit-code").returncode == 1
    assert escudo("diff", folder, folder, "--exit-code").returncode == 0


@pytest.mark.parametrize(
    "side", ["nowhere:.", "HEAD:nowhere", "HEAD:../..", "--upload-pack=x", "a b", "HEAD:/etc"]
)
def test_a_side_that_cannot_be_read(escudo: Run, folder: Path, side: str) -> None:
    done = escudo("diff", "--format", "json", "--", side, folder)
    assert (done.returncode, "AUT020" in done.stderr) == (1, True), done.stderr


def test_without_git_folders_are_compared_and_refs_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert compare_content(str(folder), str(folder)).comparison.changes == ()
    with pytest.raises(EscudoError) as caught:
        compare_content("HEAD:.", str(folder))
    assert caught.value.code == "AUT031"


def test_rows_won_and_lost(escudo: Run, folder: Path, tmp_path: Path) -> None:
    logs = [
        {"EventID": 1, "Image": f"C:\\Windows\\{image}", "CommandLine": image}
        for image in ("wmic.exe", "mic.exe", "cmd.exe")
    ]
    lake = tmp_path / "lake"
    put(tmp_path, "sysmon.json", "".join(json.dumps(event(e)) + "\n" for e in logs))
    done = escudo("ingest", tmp_path / "sysmon.json", "--lake", lake)
    assert done.returncode == 0, done.stderr
    before = copy(folder)
    put(folder, "macros/tool.yml", {"name": "tool", "definition": "mic.exe", "description": "a"})
    told = run(escudo, before, folder, "--lake", lake)
    (rows,) = told["rows"]
    assert (rows["before"], rows["after"], rows["won"], rows["lost"]) == (1, 1, 1, 1)
    assert rows["won_rows"][0]["Processes.process"] == "mic.exe"
    assert rows["lost_rows"][0]["Processes.process"] == "wmic.exe"
    done = escudo("diff", before, folder, "--lake", lake, "--format", "markdown")
    assert "| Odd Shell | 1 | 1 | 1 | 1 |" in done.stdout
    done = escudo("diff", before, folder, "--lake", lake, "--format", "table")
    assert "Odd Shell: 1 -> 1 rows, 1 won, 1 lost" in done.stdout


def event(data: dict[str, Any]) -> dict[str, Any]:
    """A Sysmon event as Winlogbeat's flat JSON has it."""
    return {
        "EventTime": "2024-05-14 09:12:07",
        "Hostname": "wks-014.example.org",
        "Channel": "Microsoft-Windows-Sysmon/Operational",
        "SourceName": "Microsoft-Windows-Sysmon",
        "ProcessId": "612",
        "User": "EXAMPLE\\ada",
        "ParentImage": "C:\\Windows\\explorer.exe",
        **data,
    }


def test_markdown_lets_nothing_out_of_its_fence(escudo: Run, folder: Path) -> None:
    before = copy(folder)
    put_detection(
        folder, "Odd <b>One</b> | x", description="```\n<script>", search="index=a ```c```"
    )
    put_detection(folder, search=SEARCH + '\n| eval a="````"')
    done = escudo("diff", before, folder, "--format", "markdown")
    assert "<b>" not in done.stdout
    assert "`````diff" in done.stdout


@pytest.mark.slow
@needs_shared
def test_real_content_differs_from_itself_in_nothing() -> None:
    assert SHARED is not None
    side = open_folder(SHARED / "security_content_6")
    assert compare_sides(side, side).changes == ()


@pytest.mark.slow
@needs_shared
def test_two_releases_of_real_content(escudo: Run) -> None:
    """ESCU of October 2024 and 5.0 of February 2025: of each detection in both, the format of risk
    changed; only some searches did."""
    assert SHARED is not None
    told = run(escudo, SHARED / "security_content", SHARED / "security_content_5", code=1)
    states = told["counts"]["detection"]
    assert states["changed"] > 1000
    changed = [c for c in told["changes"] if c["kind"] == "detection" and c["state"] == "changed"]
    assert all(any(f["field"].startswith("tags.") for f in c["fields"]) for c in changed[:50])
    meant = [c for c in changed if c["logic"] and c["logic"]["search"] == "changed"]
    assert 0 < len(meant) < len(changed) / 4
