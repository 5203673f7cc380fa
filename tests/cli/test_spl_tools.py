"""`escudo lint`, `format` and `explain` as their users call them."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

from tests.cli.conftest import Run, json_lines

MISSPELT = (
    "| tstats count from datamodel=Endpoint.Processes where Processes.proces_name=cmd.exe "
    "by Processes.dest"
)


def test_lint_suggests_the_field_that_was_meant(escudo: Run) -> None:
    done = escudo("lint", MISSPELT, "--format", "text")
    assert done.returncode == 0
    assert "warning[SPL501] 1:56: data model Endpoint.Processes has no field" in done.stdout
    assert "did you mean 'Processes.process_name'?" in done.stdout


def test_lint_strict_fails_on_a_warning(escudo: Run) -> None:
    assert escudo("lint", MISSPELT, "--strict").returncode == 1


def test_lint_points_into_the_yaml_file(escudo: Run, tmp_path: Path) -> None:
    file = tmp_path / "d.yml"
    file.write_text(
        "name: A\nid: 11111111-2222-3333-4444-000000000001\nversion: 1\ndate: '2024-01-01'\n"
        "author: me\nstatus: production\ntype: Hunting\ndescription: x\n"
        "data_source: [Sysmon EventID 1]\n"
        "search: |-\n"
        "  | tstats count from datamodel=Endpoint.Processes by Processes.dest\n"
        "  | statz count\n"
        "tags: {security_domain: endpoint}\n"
    )
    done = escudo("lint", file, "--format", "json")
    (found,) = json_lines(done.stdout)
    assert done.returncode == 1
    assert (found["code"], found["file"], found["line"], found["column"]) == (
        "SPL101",
        str(file),
        12,
        5,
    )
    log = json.loads(escudo("lint", file, "--format", "sarif").stdout)
    (result,) = log["runs"][0]["results"]
    assert result["ruleId"] == "SPL101"
    region = result["locations"][0]["physicalLocation"]["region"]
    assert (region["startLine"], region["startColumn"], region["endColumn"]) == (12, 5, 10)


def test_format_is_stable(escudo: Run, tmp_path: Path) -> None:
    once = escudo("format", MISSPELT + " | sort - count").stdout
    assert once.count("\n| ") == 1
    file = tmp_path / "a.spl"
    file.write_text(once)
    assert escudo("format", file).stdout == once


def test_explain_tells_what_is_read(escudo: Run) -> None:
    done = escudo("explain", "Process Execution via WMI", "--format", "json")
    (item,) = json.loads(done.stdout)
    (read,) = item["reads"]
    assert read["table"] == "endpoint_processes"
    assert {"parent_process_name", "process", "user", "_time"} <= set(read["columns"])
    assert "wmiprvse.exe" in item["sql"]
    assert [f["name"] for f in item["fields"]][:2] == ["dest", "user"]


def test_a_folders_own_faults_are_told(escudo: Run, tmp_path: Path) -> None:
    """match_type of a column that the file has not, a setting of props.conf without effect."""
    (tmp_path / "default").mkdir()
    (tmp_path / "lookups").mkdir()
    (tmp_path / "lookups" / "agents.csv").write_text("agent,kind\nx*,bad\n")
    (tmp_path / "default" / "transforms.conf").write_text(
        "[agents]\nfilename = agents.csv\nmatch_type = WILDCARD(agents)\n"
    )
    (tmp_path / "default" / "savedsearches.conf").write_text(
        "[one]\nsearch = sourcetype=x | `shown`\n"
    )
    (tmp_path / "default" / "macros.conf").write_text("[shown]\ndefinition = table nothing\n")
    (tmp_path / "default" / "props.conf").write_text("[web]\nrename = other\nTZ = UTC\n")
    told = {
        f"{d['code']} {d['line']}": d
        for d in map(json.loads, escudo("lint", tmp_path).stdout.splitlines())
    }
    assert sorted(told) == ["CON206 3", "CON222 2", "SPL516 2"]
    assert "which has 'agent'" in told["CON206 3"]["message"]
    checked = json.loads(escudo("validate", tmp_path, "--format", "json").stdout)
    assert [(t["severity"], t["code"]) for t in checked["files"]["told"]] == [
        ("warning", "CON222"),
        ("warning", "CON206"),
        ("info", "CON222"),
    ]


def test_an_apps_archive_is_content(escudo: Run, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "app.spl", "w:gz") as archive:
        for name, text in (
            ("savedsearches", "[one]\nsearch = `events` | where p==*\n"),
            ("macros", "[events]\ndefinition = index=main\n"),
        ):
            member = tarfile.TarInfo(f"app/default/{name}.conf")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    found = json_lines(escudo("lint", tmp_path / "app.spl").stdout)
    assert [(d["code"], d["severity"]) for d in found] == [("SPL100", "error")]
