"""A server's address, a folder -> says ``same`` where logs, searches and an attached session give
by Spark Connect what they give by DuckDB; ``test_connect`` runs it."""

from __future__ import annotations

import sys
from pathlib import Path

from pyspark.sql import SparkSession

import escudo.spark
from escudo.actions.engines import DuckDBEngines, SparkEngines
from escudo.content import load
from escudo.engines.execute import run_search
from escudo.engines.spark.place import SparkPlace
from escudo.lake import Lake
from escudo.lake.ingest import ingest
from tests.lake.logs import write_logs
from tests.lake.stored_rows import read_stored

_SEARCHES = (
    "index=* | stats count by EventCode host",
    'index=* | eval a=urldecode("a%20b"), b=lower(Image) | stats count by a b',
    "| tstats count from datamodel=Endpoint.Processes by Processes.process_name",
    "index=* | transaction host maxspan=10s | stats count sum(eventcount) as events",
    "| makeresults count=3 | streamstats count as n | stats list(n) as n",
)
NOW = 1_900_000_000.0


def main(address: str, folder: Path) -> None:
    logs = write_logs(folder / "logs", 3, 20)
    engines = SparkEngines(SparkPlace(address))
    content = load()
    with Lake.open(folder / "alone") as alone, Lake.open(folder / "spread") as spread:
        ingest(logs, alone)
        session = SparkSession.builder.remote(address).getOrCreate()
        with escudo.spark.attach(session, lake=folder / "spread") as here:
            assert here.ingest(logs).report.read == 60
            assert read_stored(spread) == read_stored(alone)
            frame = here.dataframe("index=* | stats count by host")
            assert [tuple(row) for row in frame.collect()] == [("pc1", 60)], frame.collect()
        snapshot = spread.snapshot()
        for text in _SEARCHES:
            rows = [
                run_search(text, made(snapshot), snapshot, content.knowledge, now=NOW).table
                for made in (engines, DuckDBEngines())
            ]
            assert rows[0].to_pylist() == rows[1].to_pylist(), (text, rows)
    print("same")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
