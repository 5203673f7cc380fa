"""What is nested, expanded, repeated or wide without end is a coded error, and soon."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from escudo.actions.engines import make_engines
from escudo.cim.models import parse_model
from escudo.content.reading import read_document
from escudo.core.errors import EscudoError
from escudo.core.yaml_depth import DEEPEST
from escudo.engines.duckdb.connection import connect
from escudo.engines.duckdb.faults import explain_error
from escudo.lake import Lake
from escudo.lake.leftovers import Work, sweep_lake
from escudo.lake.rejects import Rejects
from escudo.sources import load_families
from escudo.sources.reading import Rejected
from escudo.spl.macros import expand
from escudo.storage import Folder
from tests.spl.knowledge import Book

endless = pytest.mark.parametrize(
    "source",
    ["a: " + "[" * 50_000, "a: " + "{a: " * 50_000, "- " * 50_000 + "a", "? " * 50_000],
    ids=["lists", "mappings", "dashes", "keys"],
)


@endless
def test_sources_and_models_without_an_end_of_nesting(source: str, tmp_path: Path) -> None:
    (tmp_path / "own.yml").write_text("\n" + source)
    with pytest.raises(EscudoError, match=r"SRC050.*own.yml:2:1: nested more than 100 levels"):
        load_families([tmp_path])
    with pytest.raises(EscudoError, match=r"CIM001.*nested more than 100 levels deep"):
        parse_model(source, "model.yml")


@endless
def test_yaml_without_an_end_of_nesting(source: str) -> None:
    node, problems = read_document("a.yml", source)
    assert node is None
    assert [d.code for d in problems.found] == ["CON108"]


def test_yaml_as_deep_as_allowed_is_read() -> None:
    source = "[" * DEEPEST + "]" * DEEPEST
    node, problems = read_document("a.yml", source)
    assert node is not None
    assert not problems.found


def test_macros_that_double_at_each_level() -> None:
    book = Book().define("m0", "x")
    for level in range(30):
        book.define(f"m{level + 1}", f"`m{level}` `m{level}`")
    with pytest.raises(EscudoError, match="SPL114"):
        expand("`m30`", book)


def run(sql: str, *values: str) -> object:
    try:
        return connect(threads=1).execute(sql, list(values)).fetchone()
    except duckdb.Error as error:
        raise explain_error(error) from error


@pytest.mark.slow
@pytest.mark.parametrize("function", ["spl_pcre_match(?, ?)", "spl_pcre_group(?, ?, 0)"])
def test_an_expression_that_backtracks_without_end(function: str) -> None:
    """Without a limit it takes longer than a test run: the ways double with each letter."""
    with pytest.raises(EscudoError, match="ENG007"):
        run(f"SELECT {function}", "a" * 60 + "!", r"^(?=a)(a|a|aa)+$")


@pytest.mark.parametrize("wanted", ["%2000000000s", "%.2000000000f", "%*s"])
def test_a_printf_that_would_fill_the_memory(wanted: str) -> None:
    with pytest.raises(EscudoError, match="ENG008"):
        run("SELECT spl_printf(?, ['2000000000', '1'])", wanted)


@pytest.mark.parametrize("given", ["'", "lots", "4 parsecs", "\x1b[31m"])
def test_an_amount_of_memory_that_is_none(given: str) -> None:
    with Lake.create_temporary() as lake, pytest.raises(EscudoError, match="CLI008"):
        make_engines("duckdb", given)(lake.snapshot())


def test_rejected_input_beyond_the_cap_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("escudo.lake.rejects.MOST_BYTES", 1000)
    rejects = Rejects(Folder(tmp_path))
    for n in range(100):
        rejects.add(Rejected("a.xml", f"line {n}", "SRC020", "not well-formed", b"x" * 100))
    rejects.keep("a")
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert rows[-1]["code"] == "SRC015"
    assert rows[-1]["message"].startswith(f"{100 - len(rows) + 1} more inputs")
    assert len(rows) < 10


def test_the_work_of_the_dead_is_swept_at_once_and_that_of_the_living_stays(
    tmp_path: Path,
) -> None:
    with Lake.open(tmp_path) as lake:
        table = lake.tables_folder.path / "raw_sysmon"
        table.mkdir(parents=True)
        mine, dead, other = Work(lake.storage), Work(lake.storage), Work(lake.storage)
        gone = subprocess.Popen([sys.executable, "-c", ""])
        gone.wait()
        own = str(os.getpid())
        dead.folder = dead.folder.with_name(dead.folder.name.replace(own, str(gone.pid), 1))
        other.folder = other.folder.with_name("00000000" + other.folder.name[8:])
        for work in (mine, dead, other):
            work.begin()
            (work.folder / "a.draft").write_bytes(b"1")
            (table / f"{work.token}0.parquet").write_bytes(b"2")
    with Lake.open(tmp_path):
        pass
    assert {p.name for p in (tmp_path / "work").iterdir()} == {mine.folder.name, other.folder.name}
    assert {p.name[:16] for p in table.iterdir()} == {mine.token, other.token}
    os.utime(other.folder, (0, 0))
    with Lake.open(tmp_path):
        pass
    assert {p.name[:16] for p in table.iterdir()} == {mine.token}


def test_what_a_crash_left_a_day_ago_is_swept(tmp_path: Path) -> None:
    names = ["sort-a/x", "rejected/a.draft", "lookups/.tmp1", "models/.tmp2"]
    kept = ["lookups/a.csv", "rejected/a.jsonl", "sort-new/x"]
    for name in [*names, *kept]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"12345")
    for name in [*names, "sort-a", "lookups/a.csv", "rejected/a.jsonl"]:
        os.utime(tmp_path / name, (0, 0))
    assert sweep_lake(Folder(tmp_path)) >= 20
    left = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert left == set(kept)
