"""The benchmarks run, and the alternatives in them do the work that they are measured for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from benchmarks import (
    fdr_libraries,
    hunting,
    inputs,
    receiving,
    report,
    searches,
    suites,
    xml_libraries,
    year,
)
from benchmarks.harness import Measured, Suite, Variant, run_suite

from escudo.generate.generate import generate
from escudo.lake import Lake
from escudo.lake.ingest import ingest
from tests.cli.test_wrong_input import DETECTION

EVENTS = 3_000


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("logs")
    for format in ("xml", "fdr"):
        generate(EVENTS, 1, format, folder / format)
    return folder


@pytest.mark.parametrize("parse", [xml_libraries.polars_split, xml_libraries.xml2arrow_pivot])
def test_xml_alternatives_read_all_fields(parse: object, logs: Path, tmp_path: Path) -> None:
    assert callable(parse)
    assert parse(tmp_path, source=str(logs / "xml")) == EVENTS
    files = sorted(tmp_path.glob("*.parquet"))
    found = pl.concat([pl.read_parquet(f) for f in files], how="diagonal_relaxed")
    starts = found.filter((pl.col("EventID") == "1") & (pl.col("CommandLine") != ""))
    assert len(found) == EVENTS
    assert not starts["_time"].has_nulls()
    assert starts["ParentImage"].str.contains(r"\.exe$|\.EXE$|^-$").all()
    assert not starts["CommandLine"].str.contains("&amp;").any()
    assert starts["ProcessID"].str.contains(r"^\d+$").all()


@pytest.mark.parametrize("parse", [fdr_libraries.duckdb_read_json, fdr_libraries.polars_ndjson])
def test_fdr_alternatives_read_all_fields(parse: object, logs: Path, tmp_path: Path) -> None:
    assert callable(parse)
    assert parse(tmp_path, source=str(logs / "fdr")) == EVENTS
    found = pl.read_parquet(tmp_path / "events.parquet")
    assert {*fdr_libraries.FIELDS, "_time"} == set(found.columns)
    assert not found["aid"].has_nulls()
    assert not any(found[name].is_null().all() for name in fdr_libraries.FIELDS)


@pytest.mark.slow
def test_a_suite_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESCUDO_BENCH_CACHE", str(tmp_path))
    suite = suites.SUITES["fdr"](EVENTS)
    assert suite is not None
    told: list[str] = []
    results = run_suite(suite, 1, told.append, tmp_path)
    assert [r.rows for r in results] == [EVENTS] * 4
    assert len(told) == 4
    assert "| escudo ingest | 3,000 |" in report.table(suite, results, 1)


def test_ratio_is_to_the_fastest_alternative() -> None:
    variants = [Variant(name, "", "", {}) for name in ("ours", "slow", "fast")]
    suite = Suite("s", "Title", "Note.", 100, variants, limit=2)
    results = [
        Measured(v, [s], [s], [10.0], 100) for v, s in zip(variants, (3.0, 2.0, 1.0), strict=True)
    ]
    text = report.table(suite, results, 1)
    assert "| ours | 100 | 3.00 | 3.00-3.00 | 3.00 | 33 | 3.00 | 10 |" in text
    assert "NOT kept" in text


def starts_another(folder: Path) -> int:
    """A variant whose work is done by another process: it holds 600 MB for half a CPU second."""
    work = """
import time
held = bytearray(b"x") * (600 << 20)
while time.process_time() < 0.5:
    pass
"""
    subprocess.run([sys.executable, "-c", work], check=True)
    return 1


@pytest.mark.slow
def test_what_a_variant_starts_is_counted_in(tmp_path: Path) -> None:
    suite = Suite("s", "Title", "Note.", 1, [Variant("v", __name__, "starts_another", {})])
    [measured] = run_suite(suite, 1, lambda text: None, tmp_path)
    assert measured.cpu[0] >= 0.5
    assert measured.peak_mb[0] > 600


def test_every_suite_has_its_place_in_the_page() -> None:
    page = report.README.read_text("utf-8")
    for name in suites.SUITES:
        assert page.index(f"<!-- {name}:start -->") < page.index(f"<!-- {name}:end -->")


def test_large_evtx_is_a_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = inputs.shared("evtx")
    if folder is None:
        pytest.skip("no real event logs")
    monkeypatch.setenv("ESCUDO_BENCH_CACHE", str(tmp_path))
    path = inputs.large_evtx(folder / "Execution", 2)
    assert path.read_bytes()[:8] == b"ElfFile\x00"
    assert path.stat().st_size % 65536 == 4096


@pytest.mark.slow
def test_typical_searches_give_the_rows_of_the_sql(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ESCUDO_BENCH_CACHE", str(tmp_path))
    generate(EVENTS, 1, "xml", tmp_path / "log")
    with Lake.open(tmp_path / "lake") as lake:
        ingest([tmp_path / "log"], lake)
    for name in searches.CASES:
        job = {"lake": str(tmp_path / "lake"), "case": name}
        ours = searches.escudo_search(tmp_path, **job)["rows"]
        assert ours == searches.by_hand(tmp_path, **job)["rows"], name


def test_pairs_are_compared_with_each_other() -> None:
    variants = [Variant(name, "", "", {}) for name in ("a", "a: SQL", "b", "b: SQL")]
    suite = Suite("s", "Title", "Note.", 100, variants, limit=1.5, pairs=True)
    results = [
        Measured(v, [s], [s], [10.0], 100)
        for v, s in zip(variants, (2.0, 1.0, 1.0, 2.0), strict=True)
    ]
    text = report.table(suite, results, 1)
    assert "| a | 100 | 2.000 | 1.000 | 2.00 |" in text
    assert "NOT kept by a." in text


@pytest.mark.slow
def test_hunts_run(logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESCUDO_BENCH_CACHE", str(tmp_path))
    content = tmp_path / "own"
    (content / "detections").mkdir(parents=True)
    for number, table in enumerate(("Processes", "Registry")):
        search = f"| tstats count from datamodel=Endpoint.{table} by {table}.dest"
        text = DETECTION.format(name=f"Count {table}", number=number, search=search)
        (content / "detections" / f"{number}.yml").write_text(text)
    given = {"content": str(content), "only": "Endpoint.Processes", "warm": True}
    (tmp_path / "a").mkdir()
    alone = hunting.hunt(tmp_path / "a", logs=str(logs / "xml"), alone=True, **given)
    (tmp_path / "b").mkdir()
    every = hunting.hunt(tmp_path / "b", rows=EVENTS, **given)
    ran = [measured["details"]["detections"] for measured in (alone, every)]
    assert ran == [1, 4]  # Escudo's own three, and the one of the content
    assert 0 < alone["rows"] < every["rows"]
    assert alone["cpu"] > 0
    assert len(list((tmp_path / "b" / "content" / "detections").iterdir())) == 1
    assert hunting.scan_command_lines(tmp_path, rows=EVENTS)["rows"] == hunting.SCANS


@pytest.mark.slow
@pytest.mark.parametrize("acks", [True, False])
def test_every_event_that_is_posted_is_acknowledged(tmp_path: Path, acks: bool) -> None:
    log = tmp_path / "log.jsonl"
    generate(1000, 1, "evtx-json", log)
    events = len(log.read_text().splitlines())
    done = receiving.post_events(
        tmp_path, source=str(log), connections=2, events_a_post=50, acks=acks, schedule=False
    )
    assert done["rows"] == events
    assert done["details"]["posts"] == -(-events // 50)
    assert 0 < done["details"]["median acknowledge s"] <= done["details"]["p99 acknowledge s"]


@pytest.mark.slow
def test_a_year_is_played_with_the_files_of_so_many_events(tmp_path: Path) -> None:
    """A day of 10^8 events has 18 GB, a file for each 128 MB of a table, at least one."""
    per_table = (47, 27, 20, 13, 11, 7, 4, 3, 1, 1)
    first, last = year.Year(tmp_path, events=1e8, days=3, samples=2).play()
    assert (first.day, first.files) == (1, sum(per_table))
    assert (last.day, last.files, last.largest_table) == (3, 3 * sum(per_table), 3 * 47)
    assert 0 < first.ledger_bytes <= last.ledger_bytes
