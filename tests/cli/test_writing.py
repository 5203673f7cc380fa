"""Searches that write, by the command line: what they leave is in the lake, and nowhere else."""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run, json_lines
from tests.lake.logs import sysmon

START = 1_700_000_000.0
CUT = datetime.fromtimestamp(START + 3600, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

DETECTION = """
name: First Time Seen Process
id: 11111111-2222-3333-4444-000000000001
version: 1
date: '2024-01-01'
author: me
status: production
type: Anomaly
description: A process that the baseline does not know.
data_source: [Sysmon EventID 1]
search: |-
  | tstats count from datamodel=Endpoint.Processes by Processes.process Processes.dest
  | rename Processes.* as *
  | lookup seen_processes process OUTPUT first_seen
  | where isnull(first_seen)
how_to_implement: none
known_false_positives: none
rba:
  message: $process$ is new
  risk_objects: [{field: dest, type: system, score: 10}]
  threat_objects: []
tags: {analytic_story: [], asset_type: Endpoint, security_domain: endpoint, product: [x]}
"""

LONG = """
name: Unusually Long Process
id: 11111111-2222-3333-4444-000000000002
version: 1
date: '2024-01-01'
author: me
status: production
type: Hunting
description: Its length is no usual one.
data_source: [Sysmon EventID 1]
search: |-
  | tstats count from datamodel=Endpoint.Processes by Processes.process
  | eval length=len('Processes.process')
  | apply process_length
  | where 'IsOutlier(length)'=1
  | outputlookup long_processes.csv
  | collect index=long
how_to_implement: none
known_false_positives: none
tags: {analytic_story: [], asset_type: Endpoint, security_domain: endpoint, product: [x]}
"""

DELETES = """
name: Deletes What It Finds
id: 11111111-2222-3333-4444-000000000003
version: 1
date: '2024-01-01'
author: me
status: production
type: Hunting
description: It must not.
data_source: [Sysmon EventID 1]
search: search index=* | delete
how_to_implement: none
known_false_positives: none
tags: {analytic_story: [], asset_type: Endpoint, security_domain: endpoint, product: [x]}
"""

BASELINE = """
name: {name}
id: 22222222-2222-3333-4444-00000000000{number}
version: 1
date: '2024-01-01'
author: me
type: Baseline
description: What is usual.
search: |-
  {search}
how_to_implement: none
known_false_positives: none
references: []
tags:
  analytic_story: []
  detections: [{detection}]
  product: [x]
  security_domain: endpoint
"""

SEEN = (
    "| tstats min(_time) as first_seen from datamodel=Endpoint.Processes by Processes.process"
    " | rename Processes.process as process | outputlookup seen_processes"
)
LENGTH = (
    "| tstats count from datamodel=Endpoint.Processes by Processes.process"
    " | eval length=len('Processes.process')"
    " | fit DensityFunction length dist=norm into process_length"
)
LOOKUP = (
    "name: seen_processes\ncollection: seen_processes\nfields_list: _key, process, first_seen\n"
)


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """A checkout of three detections, two baselines and the lookup of one."""
    root = tmp_path / "content"
    for kind in ("detections", "baselines", "lookups"):
        (root / kind).mkdir(parents=True)
    (root / "detections" / "first.yml").write_text(DETECTION)
    (root / "detections" / "long.yml").write_text(LONG)
    for number, name, search, detection in (
        (1, "Seen Processes", SEEN, "First Time Seen Process"),
        (2, "Length of Processes", LENGTH, "Unusually Long Process"),
    ):
        text = BASELINE.format(name=name, number=number, search=search, detection=detection)
        (root / "baselines" / f"{number}.yml").write_text(text)
    (root / "lookups" / "seen_processes.yml").write_text(LOOKUP)
    return root


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty processes of an hour, two hours later one of them again, and a long one."""
    file = tmp_path_factory.mktemp("logs") / "day.xml"
    long = sysmon(1, tag="x" * 300, start=START + 7300)
    again = sysmon(1, tag="old", start=START + 7200)
    file.write_text(sysmon(30, tag="old", start=START) + again + long)
    return file


@pytest.fixture(scope="session")
def ingested(escudo: Run, logs: Path) -> Path:
    folder = logs.parent / "lake"
    assert escudo("ingest", logs, "--lake", folder, "--quiet").returncode == 0
    return folder


@pytest.fixture
def lake(ingested: Path, tmp_path: Path) -> Path:
    """A lake of the logs, of one test alone."""
    return Path(shutil.copytree(ingested, tmp_path / "lake"))


def rows(escudo: Run, text: str, lake: Path, *options: object) -> list[dict[str, Any]]:
    done = escudo("search", text, "--lake", lake, "--format", "jsonl", *options)
    assert done.returncode == 0, done.stderr
    return json_lines(done.stdout)


def files(folder: Path) -> dict[str, bytes]:
    """Every file of a folder with its content."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_search_writes_lookups_and_events(escudo: Run, lake: Path) -> None:
    by_user = "| tstats count from datamodel=Endpoint.Processes by Processes.user"
    done = escudo("search", f"{by_user} | outputlookup users", "--lake", lake)
    assert done.returncode == 0
    assert "1 rows went to lookup users" in done.stderr
    (user,) = rows(escudo, "| inputlookup users", lake)
    assert user["count"] == "32"
    rows(escudo, "| inputlookup users | collect index=summary", lake)
    assert rows(escudo, "index=summary | stats sum(count) AS n", lake) == [{"n": 32}]
    assert rows(escudo, "| from inputlookup:users | stats count", lake) == [{"count": 1}]
    info = {row["table"]: row for row in json_lines(escudo("lake", "info", "--lake", lake).stdout)}
    kept = info["lookups/users"]
    assert (kept["files"], kept["rows"]) == (1, None)
    assert kept["bytes"] == (lake / "lookups" / "users.csv").stat().st_size


def test_delete_takes_the_option(escudo: Run, lake: Path) -> None:
    old = 'index=* process="*old*" | delete'
    refused = escudo("search", old, "--lake", lake, "--format", "jsonl")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "error[LAK015]" in refused.stderr
    assert "--allow-delete" in escudo("search", "--help").stdout
    count = "| tstats count from datamodel=Endpoint.Processes"
    assert rows(escudo, count, lake) == [{"count": 32}]
    done, of_index = rows(escudo, old, lake, "--allow-delete")
    assert (done["index"], done["deleted"], of_index["deleted"]) == ("__ALL__", 31, 31)
    assert rows(escudo, count, lake) == [{"count": 1}]


def test_internal_indexes_take_the_option(escudo: Run, lake: Path) -> None:
    audit = "| makeresults | eval a=1 | collect index=_audit"
    refused = escudo("search", audit, "--lake", lake, "--format", "jsonl")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "error[LAK025]" in refused.stderr
    rows(escudo, audit, lake, "--allow-internal")
    assert rows(escudo, "index=_audit | stats count", lake) == [{"count": 1}]


def test_jobs(escudo: Run, lake: Path) -> None:
    text = "| tstats count from datamodel=Endpoint.Processes"
    rows(escudo, text, lake, "--save-job", "nightly")
    assert rows(escudo, "| loadjob nightly", lake) == [{"count": 32}]
    missing = escudo("search", "| loadjob other", "--lake", lake)
    assert "error[SPL321]" in missing.stderr


def test_a_wrong_option_of_fit_is_shown_in_its_place(escudo: Run, lake: Path) -> None:
    text = "| makeresults | eval a=1 | fit KMeans a kk=2"
    done = escudo("search", text, "--lake", lake)
    assert done.returncode == 1
    assert f"error[SPL103] 1:{text.index('kk') + 1}: KMeans has no option 'kk'" in done.stderr


def test_a_baseline_feeds_detections(escudo: Run, content: Path, logs: Path, lake: Path) -> None:
    """What was learned of the first hour; the detections look at the rest."""
    before = files(content)
    done = escudo(
        *("baseline", "--lake", lake, "--content", content, "--latest", CUT),
        *("--format", "jsonl"),
    )
    assert done.returncode == 0, done.stderr
    by_name = {row["baseline"]: row for row in json_lines(done.stdout)}
    wrote = by_name["Seen Processes"]["wrote"]
    assert wrote == [{"kind": "lookup", "name": "seen_processes", "count": 30}]
    assert by_name["Length of Processes"]["wrote"][0]["kind"] == "model"
    found = escudo(
        *("hunt", logs, "--lake", lake, "--content", content, "--earliest", CUT),
        *("--detection", "First Time Seen Process", "--detection", "Unusually Long Process"),
        *("--format", "jsonl"),
    )
    assert found.returncode == 0, found.stderr
    assert "1 rows went to lookup long_processes.csv" in found.stderr
    hits = {
        (row["detection"], row["row"].get("process", "long")[:20])
        for row in json_lines(found.stdout)
    }
    assert hits == {
        ("First Time Seen Process", "cmd.exe /c echo xxxx"),
        ("Unusually Long Process", "long"),
    }
    assert len(rows(escudo, "| inputlookup long_processes.csv", lake)) == 1
    (event,) = rows(escudo, "index=long", lake)
    assert event["source"] == "Custom Splunk Content Pack - Unusually Long Process - Rule"
    assert files(content) == before


def test_a_baseline_that_could_not_learn_has_failed(escudo: Run, content: Path, lake: Path) -> None:
    """One refuses the rows there are; the other has none, which is only said."""
    too_many = LENGTH.replace("DensityFunction length dist=norm", "KMeans length k=500")
    nothing = too_many.replace(" | eval", " | where 1=2 | eval")
    for number, name, search in ((8, "Too Many", too_many), (9, "Nothing", nothing)):
        text = BASELINE.format(name=name, number=number, search=search, detection="none")
        (content / "baselines" / f"{number}.yml").write_text(text)
    done = escudo(
        *("baseline", "--lake", lake, "--content", content, "--format", "jsonl"),
        *("--baseline", "Too Many", "--baseline", "Nothing"),
    )
    assert done.returncode == 1
    too_many_row, nothing_row = json_lines(done.stdout)
    assert "KMeans" in too_many_row["error"]
    assert too_many_row["wrote"] == []
    assert "error" not in nothing_row
    assert nothing_row["wrote"] == []
    assert "warning[SPL318]" in done.stderr
    assert "1 baselines ran: 0 lookups filled, 0 models; 1 could not run" in done.stderr


def test_hunt_runs_baselines_first(escudo: Run, content: Path, logs: Path) -> None:
    """In a lake of its own, over the time before the hunt's."""
    done = escudo(
        *("hunt", logs, "--content", content, "--earliest", CUT, "--baselines"),
        *("--detection", "First Time Seen Process", "--format", "jsonl"),
    )
    assert done.returncode == 0, done.stderr
    assert [row["detection"] for row in json_lines(done.stdout)] == ["First Time Seen Process"]
    assert "1 baselines ran: 1 lookups filled, 0 models" in done.stderr


def test_a_detection_sees_what_the_one_before_wrote(escudo: Run, content: Path, logs: Path) -> None:
    """Although several run at once; each of these needs the lookup of the one before."""
    names = [f"Step {n}" for n in range(1, 5)]
    of_step = "| inputlookup step{0} | eval step={1} | outputlookup step{1}".format
    searches = [
        "| tstats count from datamodel=Endpoint.Processes | outputlookup step1",
        *(of_step(n, n + 1) for n in range(1, 4)),
    ]
    for number, (name, search) in enumerate(zip(names, searches, strict=True), 4):
        text = DELETES.replace("search index=* | delete", f"'{search}'")
        text = text.replace("Deletes What It Finds", name).replace("0003", f"000{number}")
        (content / "detections" / f"{number}.yml").write_text(text)
    chosen = [part for name in names for part in ("--detection", name)]
    done = escudo("hunt", logs, "--content", content, *chosen, "--format", "jsonl")
    assert done.returncode == 0, done.stderr
    found = [(r["detection"], r["row"].get("step")) for r in json_lines(done.stdout)]
    assert found == [("Step 1", None), ("Step 2", 2), ("Step 3", 3), ("Step 4", 4)]


def test_one_baseline_by_name(escudo: Run, content: Path, lake: Path) -> None:
    chosen = ("--lake", lake, "--content", content, "--format", "jsonl")
    done = escudo("baseline", *chosen, "--baseline", "seen processes")
    assert [row["baseline"] for row in json_lines(done.stdout)] == ["Seen Processes"]
    done = escudo("baseline", *chosen, "--detection", "Unusually Long Process")
    assert [row["baseline"] for row in json_lines(done.stdout)] == ["Length of Processes"]
    assert "error[DET002]" in escudo("baseline", *chosen, "--baseline", "none").stderr


def test_a_detection_must_not_delete(
    escudo: Run, content: Path, logs: Path, tmp_path: Path
) -> None:
    (content / "detections" / "deletes.yml").write_text(DELETES)
    lake = tmp_path / "kept"
    done = escudo(
        *("hunt", logs, "--content", content, "--lake", lake),
        *("--detection", "Deletes What It Finds", "--quiet"),
    )
    assert done.returncode == 1
    assert "error[LAK015]" in done.stderr
    count = "| tstats count from datamodel=Endpoint.Processes"
    assert rows(escudo, count, lake) == [{"count": 32}]


def test_validate_and_explain_write_nothing(escudo: Run, content: Path, lake: Path) -> None:
    before, files_of_content = files(lake), files(content)
    done = escudo("validate", content, "--lake", lake, "--format", "json", "--quiet")
    assert json.loads(done.stdout)["baselines"]["compiled"] == 2
    assert escudo("explain", SEEN, "--run", "--lake", lake, "--content", content).returncode == 0
    names = {name for name in files(lake) if "ledger" not in name}
    assert names == {name for name in before if "ledger" not in name}
    assert files(content) == files_of_content


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_lake_that_may_only_be_read(escudo: Run, lake: Path) -> None:
    for path in (lake, *lake.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    done = escudo("search", "| makeresults | outputlookup t", "--lake", lake)
    assert done.returncode == 1
    assert "error[LAK013]" in done.stderr


def test_a_place_that_is_taken(escudo: Run, lake: Path) -> None:
    """What keeps the folder from being made is a coded error, and the lake stays as it was."""
    (lake / "lookups").write_text("")
    done = escudo("search", "| makeresults | outputlookup t", "--lake", lake)
    assert done.returncode == 1
    assert "error[LAK013]" in done.stderr
    assert rows(escudo, "| tstats count from datamodel=Endpoint.Processes", lake) == [{"count": 32}]


@pytest.mark.spark
@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java")
def test_spark_reads_what_was_written(escudo: Run, lake: Path, tmp_path: Path) -> None:
    train = (
        "| tstats count from datamodel=Endpoint.Processes by Processes.process"
        " | eval length=len('Processes.process') | fit DensityFunction length dist=norm into m"
        " | rename Processes.process as process"
    )
    rows(escudo, f"{train} | outputlookup seen | collect index=mine", lake)
    properties = tmp_path / "spark.conf"
    properties.write_text("spark.escudo.readHere 0\n")
    by_spark = ("--engine", "spark", "--spark-properties", str(properties))
    found = rows(
        escudo,
        "index=mine | lookup seen process OUTPUT length AS known | apply m"
        " | where 'IsOutlier(length)'=1 AND known=length | stats count"
        " | append [| inputlookup seen | stats count]",
        lake,
        *by_spark,
    )
    assert found == [{"count": 1}, {"count": 31}]
    rows(escudo, "index=mine | stats count | outputlookup by_spark", lake, *by_spark)
    assert rows(escudo, "| inputlookup by_spark", lake) == [{"count": "31"}]


@pytest.mark.spark
@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java")
def test_spark_leaves_little_to_this_process(escudo: Run, lake: Path, tmp_path: Path) -> None:
    """The log says by what a search was run."""
    search = "index=* | stats count by host"
    log = tmp_path / "log"
    options = ("--lake", lake, "--engine", "spark", "--format", "jsonl")
    done = escudo("--log-file", log, "search", search, *options)
    assert json_lines(done.stdout) == rows(escudo, search, lake)
    told = [json.loads(line) for line in log.read_text().splitlines()]
    (chosen,) = (line for line in told if line["event"] == "engine")
    assert (chosen["name"], chosen["instead_of"]) == ("duckdb", "spark")
    assert chosen["bytes"] > 0
