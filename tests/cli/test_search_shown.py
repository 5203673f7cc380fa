"""What `search` shows on a terminal, in a pipe and in a file, by the console script."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from escudo.actions.ingest import ingest_logs
from escudo.lake import Lake
from tests.cli.conftest import Run, json_lines
from tests.cli.terminals import run_on_terminal
from tests.lake.logs import write_logs

pytestmark = pytest.mark.slow

BY_MINUTE = "index=* | timechart span=1m count"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 process creations, from 2023-11-14T22:13:20Z on, a second apart."""
    folder = tmp_path_factory.mktemp("shown")
    logs = write_logs(folder / "logs", 1, 400)
    with Lake.open(folder / "lake", create=True) as opened:
        ingest_logs(logs, opened)
    return folder / "lake"


def test_a_terminal_is_shown_events_and_ten_screens_of_them(lake: Path) -> None:
    code, text = run_on_terminal("search", "index=*", "--lake", lake, columns=120, rows=20)
    assert code == 0
    assert "2023-11-14T22:19:59.000Z  pc1  XmlWinEventLog:Microsoft-Windows-Sysmon" in text
    assert text.count("  <Event xmlns=") == 200
    assert "the first 200 rows in " in text
    assert "there are more; --all shows all" in text


def test_all_rows_are_shown_when_asked_for(lake: Path) -> None:
    code, text = run_on_terminal("search", "index=*", "--lake", lake, "--all", rows=20)
    assert code == 0
    assert text.count("  <Event xmlns=") == 400
    assert "400 rows in " in text


def test_a_pipe_has_all_rows_and_columns(escudo: Run, lake: Path) -> None:
    done = escudo(
        "search", "index=* | table _time host process", "--lake", lake, "--format", "table"
    )
    assert sum("echo file0" in line for line in done.stdout.splitlines()) == 400
    done = escudo("search", "index=*", "--lake", lake)
    assert len(json_lines(done.stdout)) == 400
    assert done.stderr == ""


def test_the_pager_has_the_rows_unless_it_is_not_wanted(lake: Path) -> None:
    search = ("search", "index=* | head 2 | table host", "--lake", lake)
    paged = {"PAGER": "sed s/^/paged:/"}
    _, text = run_on_terminal(*search, env=paged)
    assert "paged:│pc1" in text
    _, text = run_on_terminal(*search, "--no-pager", env=paged)
    assert "paged:" not in text
    assert "│pc1" in text


def test_a_reader_who_leaves_the_pager_breaks_nothing(lake: Path) -> None:
    code, text = run_on_terminal("search", "index=*", "--lake", lake, env={"PAGER": "head -1"})
    assert code == 0
    assert "Traceback" not in text


def test_layouts_are_chosen(lake: Path) -> None:
    search = ("search", "index=* | head 1", "--lake", lake)
    _, text = run_on_terminal(*search, "--layout", "vertical")
    assert "─── 1 ─" in text
    assert "CommandLine" in text
    _, text = run_on_terminal(*search, "--layout", "table")
    assert "columns do not fit 80 characters" in " ".join(text.split())


def test_a_field_that_a_search_names_is_shown(escudo: Run, lake: Path) -> None:
    def fields(search: str) -> list[str]:
        done = escudo("search", search, "--lake", lake)
        return list(json_lines(done.stdout)[0])

    assert fields("index=* | head 1 | table source_file _event_id") == ["source_file", "_event_id"]
    assert fields("index=* | stats count by source_file") == ["source_file", "count"]
    assert fields("index=* source_file=*log000* | head 1 | fields host source_file")[:2] == [
        "host",
        "source_file",
    ]
    raw = fields("index=* | head 1")
    assert "host" in raw
    assert not {"source_file", "_event_id"} & set(raw)


def test_files_have_all_rows(escudo: Run, lake: Path, tmp_path: Path) -> None:
    for suffix in ("csv", "json", "jsonl", "parquet"):
        out = tmp_path / f"rows.{suffix}"
        done = escudo("search", "index=* | table _time process_id", "--lake", lake, "--output", out)
        assert (done.returncode, done.stdout) == (0, "")
        assert f"400 rows written to {out}" in done.stderr
    first = {"_time": "2023-11-14T22:19:59.000Z", "process_id": "399"}
    assert json.loads((tmp_path / "rows.json").read_text())[0] == first
    assert json_lines((tmp_path / "rows.jsonl").read_text())[0] == first
    assert next(csv.DictReader((tmp_path / "rows.csv").open())) == first
    rows = pq.read_table(tmp_path / "rows.parquet")
    assert rows.schema.field("_time").type == pa.timestamp("us", "UTC")
    assert rows["_time"][0].as_py().isoformat() == "2023-11-14T22:19:59+00:00"
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        f"rows.{suffix}" for suffix in ("csv", "json", "jsonl", "parquet")
    ]


def test_a_file_that_cannot_be_written_is_coded(escudo: Run, lake: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing" / "rows.csv"
    done = escudo("search", "index=* | head 1", "--lake", lake, "--output", missing)
    assert done.returncode == 1
    assert f"error[SYS002]: {missing} cannot be written" in done.stderr
    done = escudo("search", "index=*", "--lake", lake, "--output", tmp_path / "rows.xls")
    assert done.returncode == 2
    assert ".csv .json .jsonl .parquet .png .svg .html" in done.stderr
    both = escudo("search", "index=*", "--lake", lake, "--output", tmp_path / "a.csv", "--chart")
    assert both.returncode == 2
    assert "it goes without --chart" in both.stderr


def test_a_search_that_fails_leaves_a_file_as_it_was(
    escudo: Run, lake: Path, tmp_path: Path
) -> None:
    out = tmp_path / "rows.csv"
    out.write_text("mine")
    done = escudo("search", "index=* | stts count", "--lake", lake, "--output", out)
    assert done.returncode == 1
    assert out.read_text() == "mine"
    assert [p.name for p in tmp_path.iterdir()] == ["rows.csv"]


def test_charts_in_the_terminal(escudo: Run, lake: Path) -> None:
    done = escudo("search", BY_MINUTE, "--lake", lake, "--chart")
    # 22:13:20 to 22:19:59: forty seconds, five whole minutes, sixty seconds
    lines = done.stdout.splitlines()
    assert lines[0].strip() == "count"
    assert lines[1].startswith("60 │")
    assert lines[1][4:] == " " * 6 + "█" * 36
    assert "2023-11-14 22:13" in lines[-1]
    assert "2023-11-14 22:19" in lines[-1]
    search = 'index=* | eval who=if(process_id < 100, "few", "many") | top who'
    done = escudo("search", search, "--lake", lake, "--chart")
    many, few = done.stdout.splitlines()
    assert (many.split()[0], many.split()[-1]) == ("many", "300")
    assert (few.split()[0], few.split()[-1]) == ("few", "100")
    assert many.count("█") == pytest.approx(3 * few.count("█"), abs=3)


def test_what_cannot_be_drawn_says_so(escudo: Run, lake: Path) -> None:
    done = escudo("search", "index=* | head 1 | table host", "--lake", lake, "--chart")
    assert done.returncode == 1
    assert "error[CLI022]: the search gives no number to draw" in done.stderr
    both = escudo("search", BY_MINUTE, "--lake", lake, "--chart", "--format", "csv")
    assert both.returncode == 2


def test_charts_in_files(escudo: Run, lake: Path, tmp_path: Path) -> None:
    pytest.importorskip("vl_convert")
    begins = {"png": b"\x89PNG\r\n\x1a\n", "svg": b"<svg ", "html": b"<!DOCTYPE html>"}
    for suffix, magic in begins.items():
        out = tmp_path / f"chart.{suffix}"
        done = escudo("search", BY_MINUTE, "--lake", lake, "--output", out)
        assert done.returncode == 0, done.stderr
        assert out.read_bytes().startswith(magic)
    page = (tmp_path / "chart.html").read_text()
    assert "2023-11-14T22:14:00.000Z: count 60" in page
    assert "default-src 'none'" in page


def test_a_missing_extra_says_how_to_get_it(lake: Path, tmp_path: Path) -> None:
    (tmp_path / "vl_convert.py").write_text("raise ImportError('not here')\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    out = tmp_path / "chart.png"
    command = ["search", BY_MINUTE, "--lake", str(lake), "--output", str(out)]
    done = subprocess.run(
        [sys.executable, "-m", "escudo.cli", *command],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    assert done.returncode == 1
    assert "error[CLI021]" in done.stderr
    assert "pip install 'escudo[charts]'" in done.stderr
    assert not out.exists()


def test_times_are_shown_in_the_zone_that_is_asked_for(escudo: Run, lake: Path) -> None:
    search = ("index=* | head 1 | table _time", "--lake", lake, "--tz", "Asia/Kolkata")
    _, text = run_on_terminal("search", *search)
    assert "2023-11-15T03:49:59.000+05:30" in text
    done = escudo("search", *search)  # formats for machines are UTC
    assert json_lines(done.stdout) == [{"_time": "2023-11-14T22:19:59.000Z"}]


def test_days_of_a_search_are_those_of_the_zone(escudo: Run, lake: Path) -> None:
    search = 'index=* | head 1 | bin _time span=1d | eval at=strftime(_time, "%F %T")'
    done = escudo("search", f"{search} | table _time at", "--lake", lake, "--tz", "Asia/Kolkata")
    # 2023-11-15T03:49:59 in Kolkata; its day began at 18:30 UTC the day before
    assert json_lines(done.stdout) == [
        {"_time": "2023-11-14T18:30:00.000Z", "at": "2023-11-15 00:00:00"}
    ]


def test_time_ranges_are_those_of_the_zone(escudo: Run, lake: Path) -> None:
    def count(*options: str) -> object:
        done = escudo("search", "index=* | stats count", "--lake", lake, *options)
        assert done.returncode == 0, done.stderr
        return json_lines(done.stdout)[0]["count"]

    # 22:15:00Z is 23:15 in Berlin in November: 300 of the 400 seconds are left
    assert count("--earliest", "2023-11-14T22:15:00") == 300
    assert count("--earliest", "2023-11-14T23:15:00", "--tz", "Europe/Berlin") == 300
    assert count("--earliest", "11/14/2023:23:15:00", "--tz", "europe/berlin") == 300
    assert count("--earliest", "2023-11-14T22:15:00Z", "--tz", "Europe/Berlin") == 300


def test_a_zone_that_is_none_names_those_like_it(escudo: Run, lake: Path) -> None:
    done = escudo("search", "index=*", "--lake", lake, "--tz", "Berlin")
    assert done.returncode == 1
    assert "error[CLI020]: --tz: no time zone is named 'Berlin'" in done.stderr
    assert "Europe/Berlin" in done.stderr


@pytest.mark.parametrize("command", ["search", "hunt", "why", "expire"])
def test_a_time_that_is_none_says_which_forms_there_are(
    command: str, escudo: Run, lake: Path
) -> None:
    args = {
        "search": ("search", "index=*", "--lake", lake, "--earliest", "yesterday"),
        "hunt": ("hunt", lake.parent / "logs", "--earliest", "yesterday"),
        "why": ("why", "index=*", "--near", 1, "--lake", lake, "--earliest", "yesterday"),
        "expire": ("lake", "expire", "--lake", lake, "--older-than", "yesterday"),
    }[command]
    done = escudo(*args)
    assert done.returncode == 1
    option = "--older-than" if command == "expire" else "--earliest"
    assert f"error[CLI003]: {option}: 'yesterday' is not a time" in done.stderr
    for form in ("from -1d@d until @d", "-24h", "-7d@d", "now", "2020-10-08T11:00:00Z", "epoch"):
        assert form in done.stderr
