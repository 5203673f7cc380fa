"""The SQL of a family: what is in it, what is left out of it."""

from __future__ import annotations

import pyarrow as pa
import pytest

from escudo.cim.compile import ROW, Copied, Program, compile_family
from escudo.cim.mapping import read_mappings
from escudo.cim.models import load
from escudo.core.schema import COMMON_COLUMNS
from escudo.engines.duckdb import connect
from tests.families import FAMILIES


def program(name: str, batch: str = "batch") -> Program:
    family = FAMILIES[name]
    return compile_family(family, read_mappings(family, load()), batch)


def test_one_statement_for_each_dataset() -> None:
    tables = [s.dataset.schema.table for s in program("sysmon").statements]
    assert len(tables) == len(set(tables)) == 6


@pytest.mark.slow
def test_every_column_of_the_table_is_made_in_one_way() -> None:
    connection = connect(threads=1)
    common = [c.name for c in COMMON_COLUMNS]
    for name, family in FAMILIES.items():
        empty = family.schema.arrow().empty_table().append_column(ROW, pa.array([], pa.int64()))
        for statement in program(name).statements:
            table = statement.dataset.schema
            connection.register(f"batch_{table.table}", empty)
            first, *columns = connection.sql(statement.sql).columns
            assert first == ROW
            every = [*common, *columns, *statement.constants, *statement.copies]
            assert sorted(every) == sorted(table.arrow().names), table.table


def test_what_a_row_has_from_its_event_as_it_is_is_copied() -> None:
    copies = program("crowdstrike_fdr").statements[0].copies
    assert copies["process_path"] == Copied("ImageFileName")
    assert copies["process"] == Copied("CommandLine", "unknown")
    # Names have lower-cased copies beside them; the user is the first of several fields.
    assert not {"process_name", "user", "process_hash"} & copies.keys()


def test_what_is_the_same_for_every_row_is_a_constant() -> None:
    processes = program("sysmon").statements[0]
    assert processes.constants["action"] == "allowed"
    assert processes.constants["loaded_file"] == "unknown"
    assert processes.constants["tag"] == ["process", "report"]
    assert processes.constants["dest_category"] is None
    assert "user" not in processes.constants


def test_the_census_tells_which_statements_take_an_event() -> None:
    connection = connect(threads=1)
    schema = FAMILIES["sysmon"].schema.arrow()
    events = [{"EventID": n} for n in ("1", "11", "11", "23", "10", None, "255")]
    batch = pa.Table.from_pylist(events, schema)
    connection.register("batch", batch.append_column(ROW, pa.array(range(len(events)))))
    taken = connection.sql(program("sysmon").census).to_arrow_table().to_pydict()
    assert taken == {
        ROW: list(range(7)),
        "endpoint_processes": [True, False, False, False, False, False, False],
        "endpoint_filesystem": [False, True, True, True, False, False, False],
        "endpoint_registry": [False] * 7,
        "endpoint_services": [False] * 7,
        "network_traffic_all_traffic": [False] * 7,
        "network_resolution_dns": [False] * 7,
    }
