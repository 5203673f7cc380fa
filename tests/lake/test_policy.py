"""Policies of how long a lake keeps what, and maintenance by them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from escudo.core.errors import EscudoError
from escudo.core.timerange import ALL_TIME
from escudo.lake import Lake
from escudo.lake.ingest import ingest
from escudo.lake.policy import Policy, apply_policy, read_policy
from tests.lake.handmade import query
from tests.lake.logs import sysmon

DAY = 86_400.0
NOW = 1_700_000_000.0


def read_text(tmp_path: Path, text: str) -> Policy:
    path = tmp_path / "policy.toml"
    path.write_text(text)
    return read_policy(path)


def test_a_policy_is_read(tmp_path: Path) -> None:
    text = 'retain = "90d"\nkeep_files = "2h"\ncompact = false\n[tables]\nraw_sysmon = "forever"\n'
    assert read_text(tmp_path, text) == Policy(
        retain=timedelta(days=90),
        compact=False,
        keep_files=timedelta(hours=2),
        tables={"raw_sysmon": None},
    )
    assert read_text(tmp_path, "") == Policy()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("retain = ", "no TOML"),
        ('retian = "9d"', "unknown key 'retian'"),
        ('retain = "soon"', "'soon' is no time"),
        ("retain = 90", "'90' is no time"),
        ('compact = "yes"', "compact is true or false"),
        ('tables = "all"', "tables is a table"),
        ('keep_files = "forever"', "keep_files is a time"),
    ],
)
def test_a_policy_that_is_none_says_why(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(EscudoError) as raised:
        read_text(tmp_path, text)
    assert raised.value.code == "LAK021"
    assert says in raised.value.diagnostic.message


def test_tables_are_kept_for_their_own_times(tmp_path: Path) -> None:
    """Events of today, of 10 and of 100 days ago; raw ones are kept for 30 days, rows of models for
    7, and so all of the tables lose what is older."""
    with Lake.open(tmp_path / "lake") as lake:
        for age in (0, 10, 100):
            log = tmp_path / f"{age}.xml"
            log.write_text(sysmon(3, str(age), start=NOW - age * DAY))
            ingest([log], lake)
        policy = Policy(retain=timedelta(days=7), tables={"raw_sysmon": timedelta(days=30)})
        expired, merged = apply_policy(lake, policy, NOW + 10)
        assert {c.table: c.rows_dropped for c in expired.changes} == {
            "raw_sysmon": 3,
            "endpoint_processes": 6,
        }
        counted = "SELECT count(*) FROM rows"
        assert query(lake, "raw_sysmon", counted) == [(6,)]
        assert query(lake, "endpoint_processes", counted) == [(3,)]
        assert [c.table for c in merged.changes] == ["raw_sysmon"]
        assert len(lake.files("raw_sysmon", ALL_TIME)) == 1


def test_a_table_that_is_none_is_told(tmp_path: Path) -> None:
    with Lake.open(tmp_path / "lake") as lake, pytest.raises(EscudoError) as raised:
        apply_policy(lake, Policy(tables={"raw_sysmno": None}), NOW)
    assert "raw_sysmno" in raised.value.diagnostic.message
