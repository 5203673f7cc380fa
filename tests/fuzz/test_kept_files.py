"""What a lake and content keep, damaged at random: lookups, ledgers, logs of tables, jobs, models,
configuration of Splunk apps."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escudo.content.apps.conf import read_conf
from escudo.core.catalog import Lookup
from escudo.core.errors import EscudoError
from escudo.core.timerange import ALL_TIME
from escudo.lake import Lake
from escudo.lake.verify import repair, verify
from escudo.spl import read_lookup
from tests.fuzz import fuzzed
from tests.lake.conftest import opened
from tests.lake.handmade import append, model_rows, raw_rows

Edit = tuple[float, int, bytes]
EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 40), st.binary(max_size=12)), min_size=1, max_size=5
)
"""Where, as a share of the file; how many bytes go; what comes in their place."""

CELLS = st.text("ab,\"';|\t\n\r\\ \0é\ufeff=", max_size=6)
DIALECTS = st.tuples(
    st.sampled_from([",", ";", "\t", "|", " "]),
    st.sampled_from(["\n", "\r\n", "\r", "\n\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1", "utf-16-le"]),
)


def damage(content: bytes, edits: list[Edit]) -> bytes:
    data = bytearray(content)
    for share, removed, added in edits:
        at = int(len(data) * share)
        data[at : at + removed] = added
    return bytes(data)


@fuzzed
@given(st.binary(max_size=200) | st.lists(st.lists(CELLS, max_size=4), max_size=6), DIALECTS)
def test_lookups(rows: bytes | list[list[str]], dialect: tuple[str, str, str]) -> None:
    delimiter, end, encoding = dialect
    if isinstance(rows, list):
        rows = end.join(delimiter.join(row) for row in rows).encode(encoding, "replace")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.csv")
        path.write_bytes(rows)
        for multivalues in (False, True):
            with suppress(EscudoError):
                read_lookup(Lookup("a", str(path)), None, multivalues=multivalues).validate()


@cache
def make_sound_lake() -> Path:
    path = Path(tempfile.mkdtemp(prefix="escudo-fuzz-")) / "lake"
    with opened(path) as lake:
        for start in (0.0, 90_000.0):
            append(lake, "raw_demo", raw_rows([start, start + 1]))
            append(lake, "demo_processes", model_rows([start], ["a.exe"]))
        lake.artifacts.keep_job("kept", pa.table({"a": ["1", None], "b": [[1], [2, 3]]}))
    return path


@contextmanager
def damaged_lake(pattern: str, edits: list[Edit]) -> Iterator[Path]:
    """A copy of a lake with the last file of a pattern damaged."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "lake")
        shutil.copytree(make_sound_lake(), path)
        file = sorted(path.glob(pattern))[-1]
        file.write_bytes(damage(file.read_bytes(), edits))
        yield path


def use(path: Path) -> None:
    """Reads, verifies, writes and repairs a lake."""

    def look(lake: Lake) -> None:
        for table in lake.snapshot().tables():
            lake.snapshot().data_files(table)
            lake.files(table, ALL_TIME)

    def write(lake: Lake) -> None:
        append(lake, "raw_demo", raw_rows([5.0]))

    uses: list[Callable[[Lake], object]] = [look, verify, write, lambda k: k.artifacts.job("kept")]
    for action in uses:
        with suppress(EscudoError), opened(path) as lake:
            action(lake)
    with suppress(EscudoError):
        repair(path)


@pytest.mark.slow
@fuzzed
@given(EDITS)
def test_ledgers(edits: list[Edit]) -> None:
    with damaged_lake("ledger.sqlite", edits) as path:
        use(path)


@pytest.mark.slow
@fuzzed
@given(EDITS)
def test_logs_of_tables(edits: list[Edit]) -> None:
    with damaged_lake("tables/raw_demo/_delta_log/*.json", edits) as path:
        use(path)


@pytest.mark.slow
@fuzzed
@given(EDITS)
def test_data_files(edits: list[Edit]) -> None:
    with damaged_lake("tables/raw_demo/*.parquet", edits) as path:
        use(path)


@pytest.mark.slow
@fuzzed
@given(EDITS)
def test_results_of_jobs(edits: list[Edit]) -> None:
    with damaged_lake("jobs/*", edits) as path:
        use(path)


@fuzzed
@given(st.text() | st.text("[]=\\#\n ab\"'\0\ufeff", max_size=60))
def test_configuration_of_apps(text: str) -> None:
    read_conf("a.conf", text)
