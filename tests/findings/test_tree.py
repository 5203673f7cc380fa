from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from escudo.core.errors import EscudoError
from escudo.core.timerange import ALL_TIME
from escudo.findings.tree import grow_trees
from escudo.lake import Lake
from tests.conformance.catalog import RowsCatalog
from tests.shared_engine import engine_over

T = 1_712_650_000.0


def start(
    number: int,
    name: str,
    parent: str = "",
    *,
    pid: str,
    ppid: str = "",
    guid: str | None = None,
    pguid: str | None = None,
    at: float = 0.0,
    dest: str = "h",
) -> dict[str, Any]:
    """A row of Endpoint.Processes."""
    return {
        "_time": datetime.fromtimestamp(T + at, UTC),
        "_event_id": number,
        "dest": dest,
        "user": "u",
        "process_name": name,
        "process": f"{name} /x",
        "process_id": pid,
        "process_guid": guid,
        "parent_process_name": parent,
        "parent_process": f"{parent} /p" if parent else None,
        "parent_process_id": ppid or None,
        "parent_process_guid": pguid,
    }


@pytest.fixture(scope="module")
def lake() -> Iterator[Lake]:
    rows = [
        # by GUID: services > svchost > wmiprvse > cmd > (whoami, net); pids are reused in between
        start(
            1, "services.exe", "wininit.exe", pid="600", ppid="500", guid="S", pguid="W", at=-900
        ),
        start(
            2, "svchost.exe", "services.exe", pid="700", ppid="600", guid="V", pguid="S", at=-800
        ),
        start(3, "old.exe", "x.exe", pid="800", ppid="1", guid="O", pguid="X", at=-700),
        start(4, "wmiprvse.exe", "svchost.exe", pid="800", ppid="700", guid="P", pguid="V", at=-5),
        start(5, "cmd.exe", "wmiprvse.exe", pid="900", ppid="800", guid="C", pguid="P", at=0),
        start(6, "whoami.exe", "cmd.exe", pid="910", ppid="900", guid="A", pguid="C", at=1),
        start(7, "net.exe", "cmd.exe", pid="920", ppid="900", guid="N", pguid="C", at=2),
        start(8, "net1.exe", "net.exe", pid="930", ppid="920", guid="M", pguid="N", at=3),
        # the same start in the Security log: hexadecimal ids, no GUIDs
        start(9, "cmd.exe", "wmiprvse.exe", pid=hex(900), ppid=hex(800), at=0.4),
        # another host with the same ids
        start(10, "other.exe", "cmd.exe", pid="940", ppid="900", at=4, dest="elsewhere"),
        # by ids alone; 50 is used twice, and the child belongs to the later one
        start(20, "a.exe", pid="0x32", ppid="0x1", at=100, dest="k"),
        start(21, "b.exe", "never seen.exe", pid="0x32", ppid="0x2", at=200, dest="k"),
        start(22, "c.exe", "b.exe", pid="0x33", ppid="0x32", at=300, dest="k"),
        start(23, "early.exe", "a.exe", pid="0x34", ppid="0x32", at=150, dest="k"),
        start(24, "later.exe", "c.exe", pid="0x35", ppid="0x33", at=301, dest="k"),
    ]
    with Lake.create_temporary() as made:
        with made.writer() as writer:
            schema = pa.Table.from_pylist(rows).schema
            ids = schema.get_field_index("_event_id")
            table = pa.Table.from_pylist(
                rows, schema=schema.set(ids, pa.field("_event_id", pa.int64()))
            )
            writer.append_rows("endpoint_processes", table)
            writer.commit()
        yield made


def drawn(lake: Lake, *events: int, **limits: int) -> list[str]:
    trees = grow_trees(list(events), engine_over(lake), lake, within=ALL_TIME, **limits)
    return [line for tree in trees for line in str(tree).splitlines()]


def test_by_guid_up_and_down(lake: Lake) -> None:
    assert drawn(lake, 5) == [
        "wininit.exe [500]  wininit.exe /p",
        "└─ services.exe [600]  services.exe /x",
        "   └─ svchost.exe [700]  svchost.exe /x",
        "      └─ wmiprvse.exe [800]  wmiprvse.exe /x",
        "         └─ * cmd.exe [900]  cmd.exe /x",
        "            ├─ whoami.exe [910]  whoami.exe /x",
        "            └─ net.exe [920]  net.exe /x",
        "               └─ net1.exe [930]  net1.exe /x",
    ]


def test_two_records_of_one_start_are_one_hit(lake: Lake) -> None:
    assert drawn(lake, 5, 9) == drawn(lake, 5)


def test_hits_in_one_tree_are_marked_there(lake: Lake) -> None:
    assert [line for line in drawn(lake, 5, 7) if "*" in line] == [
        "         └─ * cmd.exe [900]  cmd.exe /x",
        "            └─ * net.exe [920]  net.exe /x",
    ]


def test_by_ids_host_and_time(lake: Lake) -> None:
    assert drawn(lake, 22) == [
        "never seen.exe [2]  never seen.exe /p",
        "└─ b.exe [50]  b.exe /x",
        "   └─ * c.exe [51]  c.exe /x",
        "      └─ later.exe [53]  later.exe /x",
    ]
    assert drawn(lake, 20) == ["* a.exe [50]  a.exe /x", "└─ early.exe [52]  early.exe /x"]


def test_limits(lake: Lake) -> None:
    assert drawn(lake, 5, up=1, down=0) == [
        "wmiprvse.exe [800]  wmiprvse.exe /x",
        "└─ * cmd.exe [900]  cmd.exe /x",
    ]
    (tree,) = grow_trees([5], engine_over(lake), lake, within=ALL_TIME, limit=1)
    assert tree.truncated


def test_events_that_are_no_process_starts(lake: Lake) -> None:
    assert drawn(lake, 999) == []
    assert drawn(lake) == []


def test_without_the_data_model(tmp_path) -> None:  # type: ignore[no-untyped-def]
    catalog = RowsCatalog(tmp_path)
    with pytest.raises(EscudoError, match="FND103"):
        grow_trees([1], engine_over(catalog), catalog, within=ALL_TIME)
