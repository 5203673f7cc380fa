"""The SQL of a family: what is in it, what is left out of it."""

from __future__ import annotations

import pyarrow as pa

from escudo.cim.compile import Program, compile_family
from escudo.cim.mapping import mappings
from escudo.cim.models import load
from escudo.engines.duckdb import connect
from escudo.sources import families


def program(name: str, batch: str = "batch") -> Program:
    family = families()[name]
    return compile_family(family, mappings(family, load()), batch)


def test_one_statement_for_each_dataset() -> None:
    tables = [s.dataset.schema.table for s in program("sysmon").statements]
    assert len(tables) == len(set(tables)) == 6


def test_columns_and_constants_make_up_the_table() -> None:
    connection = connect(threads=1)
    for name, family in families().items():
        empty = family.schema.arrow().empty_table()
        connection.register("batch", empty)
        for statement in program(name).statements:
            columns = connection.sql(statement.sql).columns
            assert not set(columns) & statement.constants.keys()
            table = set(statement.dataset.schema.arrow().names)
            assert {*columns, *statement.constants} == table, statement.dataset.name


def test_what_is_the_same_for_every_row_is_a_constant() -> None:
    processes = program("sysmon").statements[0]
    assert processes.constants["action"] == "allowed"
    assert processes.constants["loaded_file"] == "unknown"
    assert processes.constants["tag"] == ["process", "report"]
    assert processes.constants["dest_category"] is None
    assert "user" not in processes.constants


def test_the_census_counts_events_not_rows() -> None:
    connection = connect(threads=1)
    schema = families()["sysmon"].schema.arrow()
    events = [{"EventID": n} for n in ("1", "11", "11", "23", "10", None, "255")]
    connection.register("batch", pa.Table.from_pylist(events, schema))
    compiled = program("sysmon")
    raw_only, *taken = connection.sql(compiled.census).fetchall()[0]
    assert raw_only == 3
    counts = dict(zip((s.dataset.name for s in compiled.statements), taken, strict=True))
    assert counts == {
        "Processes": 1,
        "Filesystem": 3,
        "Registry": 0,
        "Services": 0,
        "All_Traffic": 0,
        "DNS": 0,
    }
