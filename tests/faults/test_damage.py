"""Each kind of damaged file, a lake that may not be written: coded errors, nothing lost."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from escudo.core.errors import EscudoError
from escudo.core.timerange import ALL_TIME
from escudo.engines.duckdb.connection import connect
from escudo.engines.duckdb.faults import explain_error
from escudo.lake import Lake, delta
from escudo.lake.ingest import ingest
from escudo.lake.maintenance import compact, expire
from escudo.lake.verify import repair, verify
from tests.lake.logs import write_logs

Damage = Callable[[Path], object]
DAMAGES: dict[str, Damage] = {
    "gone": lambda f: f.unlink(),
    "empty": lambda f: f.write_bytes(b""),
    "cut": lambda f: f.write_bytes(f.read_bytes()[: f.stat().st_size // 2]),
    "zeros": lambda f: f.write_bytes(bytes(f.stat().st_size)),
    "folder": lambda f: (f.unlink(), f.mkdir()),
    "other": lambda f: f.write_bytes(b"\xff\x00 no such file" * 100),
}
KINDS = {
    "data": "tables/raw_sysmon/*.parquet",
    "log": "tables/raw_sysmon/_delta_log/*.json",
    "ledger": "ledger.sqlite",
    "job": "jobs/kept.arrow",
    "checkpoint": "tables/raw_sysmon/_delta_log/*.checkpoint.parquet",
}


def use_all(path: Path) -> None:
    """Reads and writes all that a lake has."""
    with Lake.open(path, create=False) as lake:
        for table in lake.snapshot().tables():
            for file in lake.files(table, ALL_TIME):
                assert connect(threads=1).execute("SELECT count(*) FROM read_parquet(?)", [file])
        if lake.artifacts.job("kept") is None:
            raise EscudoError("LAK017", "the job is gone")
        expire(lake, 1.0)
        compact(lake)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    logs = write_logs(folder / "logs", 2, 20)
    with Lake.open(folder / "lake") as lake:
        for log in logs:
            ingest([log], lake)
        lake.artifacts.keep_job("kept", lake_rows())
    return folder / "lake"


def make_checkpoint(path: Path) -> None:
    with Lake.open(path) as lake, pytest.MonkeyPatch.context() as patched:
        patched.setattr(delta, "CHECKPOINT_EVERY", 1)
        table = lake.tables_folder.below("raw_sysmon")
        delta.checkpoint(table, 0, lake.ledger.head().versions["raw_sysmon"])


def lake_rows() -> pa.Table:
    return pa.table({"a": ["1", "2"]})


@pytest.mark.slow
def test_a_sound_lake_is_used_without_an_error(sound: Path, tmp_path: Path) -> None:
    shutil.copytree(sound, tmp_path / "lake")
    use_all(tmp_path / "lake")


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_gives_a_coded_error(
    kind: str, damage: Damage, sound: Path, tmp_path: Path
) -> None:
    path = tmp_path / "lake"
    shutil.copytree(sound, path)
    if kind == "checkpoint":
        make_checkpoint(path)
    damaged = sorted(path.glob(KINDS[kind]))[-1]
    damage(damaged)
    with pytest.raises(EscudoError) as caught:
        use_all(path)
    assert caught.value.code.startswith("LAK")
    if kind == "data":
        with Lake.open(path) as lake:
            assert [Path(d.path) for d in verify(lake).damaged] == [damaged]
    if kind == "ledger":
        repair(path)
        use_all(path)


def test_an_error_of_duckdb_is_told_in_our_words() -> None:
    error = duckdb.IOException("IO Error: No files found that match the pattern 'x.parquet'")
    told = explain_error(error).diagnostic
    assert (told.code, told.message) == ("ENG004", "x.parquet cannot be read")


@pytest.mark.parametrize(("kind", "file"), [("lookups", "a.csv"), ("models", "a.model")])
def test_a_folder_in_the_place_of_what_a_search_left(
    kind: str, file: str, sound: Path, tmp_path: Path
) -> None:
    path = tmp_path / "lake"
    shutil.copytree(sound, path)
    (path / kind / file).mkdir(parents=True)
    with Lake.open(path) as lake:
        with pytest.raises(EscudoError, match="LAK017"):
            lake.artifacts.find(kind, "a")
        with pytest.raises(EscudoError, match=r"LAK01[37]"):
            lake.artifacts.change(kind, "a", lambda _: b"x")
