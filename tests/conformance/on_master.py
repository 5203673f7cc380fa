"""A master of Spark, or of what else speaks Spark Connect -> how many conformance cases it gives as
expected, by file, and why others fail: ``python -m tests.conformance.on_master MASTER``.

``--part commands`` is of one folder, ``--every 10`` of every tenth case.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from docs.markdown import table

from escudo.engines.execute import Engine
from escudo.engines.spark.place import SparkPlace
from escudo.engines.spark.session import open_session
from escudo.engines.spark.spark_engine import SparkEngine
from tests.conformance.cases import Case, all_cases, list_files
from tests.conformance.catalog import RowsCatalog
from tests.conformance.engines import problem

_REASON_CHARACTERS = 110


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("master")
    parser.add_argument("--part", default="")
    parser.add_argument("--every", type=int, default=1)
    asked = parser.parse_args()
    cases = [c for c in all_cases() if c.error is None and c.file.startswith(asked.part)]
    cases = cases[:: asked.every]
    with tempfile.TemporaryDirectory() as folder:
        session = open_session(SparkPlace(asked.master))
        engine = SparkEngine(RowsCatalog(Path(folder) / "none"), session)
        rows = list(_count(cases, engine, Path(folder)))
    print(
        "\n".join(
            table(["file", "cases", "as expected", "the most frequent fault of the others"], rows)
        )
    )
    wanted, given = (sum(int(row[n]) for row in rows) for n in (1, 2))
    print(f"\n{given:,} of {wanted:,} cases are as expected.")


def _count(cases: Sequence[Case], engine: Engine, folder: Path) -> Iterator[list[str]]:
    for number, file in enumerate(list_files(cases)):
        faults: Counter[str] = Counter()
        of_file = [c for c in cases if c.file == file]
        for place, case in enumerate(of_file):
            work = folder / f"{number}-{place}"
            work.mkdir()
            try:
                wrong = problem(case, engine, work)
            except Exception as error:  # whatever a foreign server makes of it
                wrong = f"{type(error).__name__}: {error}"
            if wrong is not None:
                faults[_shorten(wrong)] += 1
        print(file, len(of_file), faults.total(), flush=True)
        most = faults.most_common(1)
        told = f"{most[0][0]} ({most[0][1]})" if most else ""
        yield [file, str(len(of_file)), str(len(of_file) - faults.total()), told]


def _shorten(text: str) -> str:
    return re.sub(r"[\s|]+", " ", text)[:_REASON_CHARACTERS]


if __name__ == "__main__":
    main()
