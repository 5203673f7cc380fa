"""What a query reads is told from the footers of files, and no more of these than it takes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from escudo.core.errors import EscudoError
from escudo.engines import reads
from escudo.engines.duckdb import DuckDBEngine, connect
from escudo.engines.reads import count_read_bytes
from escudo.engines.spark.place import READ_HERE, SparkPlace
from escudo.spl.compile import Compiled, compile_search
from tests.conformance.catalog import NOW, PlainKnowledge, RowsCatalog

EVENTS = [{"_time": NOW - n, "a": f"{n}", "b": "x" * 50, "_raw": f"{n} " * 40} for n in range(99)]


@pytest.fixture
def catalog(tmp_path: Path) -> RowsCatalog:
    made = RowsCatalog(tmp_path)
    made.events(EVENTS)
    return made


def compiled(search: str, catalog: RowsCatalog) -> Compiled:
    return compile_search(search, catalog, PlainKnowledge(), now=NOW)


def count(search: str, catalog: RowsCatalog, most: int = sys.maxsize) -> int:
    found = compiled(search, catalog)
    return count_read_bytes(found.query, found.scans, catalog, most)


def stored(catalog: RowsCatalog, *names: str) -> int:
    """The bytes of columns in all files, by pyarrow's own table of them."""
    total = 0
    for file in catalog.folder.rglob("*.parquet"):
        metadata = pq.read_metadata(file).to_dict()
        for group in metadata["row_groups"]:
            for column in group["columns"]:
                if column["path_in_schema"].split(".")[0] in names:
                    total += column["total_compressed_size"]
    return total


TWICE = "index=main | stats count by a | append [search index=main | stats count by b]"


def test_the_columns_that_are_named_count(catalog: RowsCatalog) -> None:
    """Each search for events names their time."""
    every = ("_time", "index")
    assert count("index=main | stats count by a", catalog) == stored(catalog, *every, "a") > 0
    both = count(TWICE, catalog)
    assert both == stored(catalog, *every, "a") + stored(catalog, *every, "b")
    assert count("index=main", catalog) > both


def test_no_more_files_are_asked_than_it_takes(
    catalog: RowsCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def open_file(path: str) -> Any:
        asked.append(path)
        return path

    monkeypatch.setattr(reads, "open_file", open_file)
    assert count(TWICE, catalog, most=10) > 10
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("text", "size"), [("0", 0), ("1k", 1024), ("3M", 3 << 20), ("2gb", 2 << 30), ("1t", 1 << 40)]
)
def test_how_much_is_read_here_is_a_property(text: str, size: int) -> None:
    assert SparkPlace(properties={READ_HERE: text}).most_here == size


@pytest.mark.parametrize("text", ["", "much", "-1", "1.5g", "g"])
def test_what_is_no_size_is_an_error(text: str) -> None:
    with pytest.raises(EscudoError, match="ENG011"):
        _ = SparkPlace(properties={READ_HERE: text}).most_here


def test_spark_leaves_to_another_engine_what_is_little(catalog: RowsCatalog) -> None:
    spark = pytest.importorskip("escudo.engines.spark.spark_engine").SparkEngine

    def open_session() -> Any:
        raise AssertionError("nothing asks for a session")

    def suited(most_here: int) -> str:
        with connect(threads=1) as connection:
            engine = spark(
                catalog,
                open_session,
                few_rows=lambda catalog: DuckDBEngine(catalog, connection),
                most_here=most_here,
            )
            found = compiled("index=main | stats count by a", catalog)
            return str(engine.suit(found.query, found.scans).name)

    read = count("index=main | stats count by a", catalog)
    assert [suited(most) for most in (read, read - 1, 0)] == ["duckdb", "spark", "spark"]
    (file,) = catalog.folder.rglob("*.parquet")
    file.write_bytes(b"damaged")
    assert suited(read) == "spark"
    file.unlink()
    assert suited(read) == "spark"
