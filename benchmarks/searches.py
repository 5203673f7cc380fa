"""Ten typical searches over a large lake, beside what a person writes in DuckDB SQL on the files.

Both sides give the same number of rows. The SQL is what somebody writes who knows the tables: it
names only the columns it needs, and does not follow SPL where SPL is odd (numbers as text).
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

from benchmarks.inputs import cache
from escudo.content import ContentKnowledge
from escudo.core.catalog import Lookup
from escudo.core.timerange import ALL_TIME
from escudo.engines.duckdb.connection import connect
from escudo.engines.duckdb.duckdb_engine import DuckDBEngine
from escudo.engines.execute import run_search
from escudo.lake import Lake

_REPEATS = 3
_SYSMON = "XmlWinEventLog:Microsoft-Windows-Sysmon/Operational"
_EVENTS = f'search source="{_SYSMON}" EventCode=1'
_RAW = f"FROM {{raw_sysmon}} WHERE source = '{_SYSMON}' AND EventID = '1'"
_FROM = "| from datamodel:Endpoint.Processes"


@dataclass(frozen=True)
class Case:
    """A search, and SQL for the same. ``{table}`` is a table of the lake, ``{lookup}`` a CSV."""

    spl: str
    sql: str


CASES: Mapping[str, Case] = {
    "tstats": Case(
        "| tstats count min(_time) as first max(_time) as last from datamodel=Endpoint.Processes "
        "where Processes.process_name IN (powershell.exe, cmd.exe) "
        "by Processes.dest Processes.user Processes.process_name",
        """SELECT dest, "user", process_name, count(*), epoch(min(_time)), epoch(max(_time))
        FROM {endpoint_processes} WHERE process_name_lc IN ('powershell.exe', 'cmd.exe')
        GROUP BY ALL""",
    ),
    "raw search": Case(
        f'{_EVENTS} CommandLine="*whoami*" | table _time host Image CommandLine',
        f"""SELECT _time, host, Image, CommandLine {_RAW} AND CommandLine ILIKE '%whoami%'
        ORDER BY _time DESC""",
    ),
    "rex": Case(
        rf'{_EVENTS} | rex field=CommandLine "(?<exe>[^\\\\\s]+\.exe)" | stats count by exe',
        rf"""SELECT regexp_extract(CommandLine, '([^\\\s]+\.exe)', 1) AS exe, count(*) {_RAW}
        AND regexp_matches(CommandLine, '[^\\\s]+\.exe') GROUP BY exe""",
    ),
    "stats": Case(
        f"{_FROM} | stats count dc(process_name) AS names values(user) AS users max(_time) AS last "
        "by dest",
        """SELECT dest, count(*), count(DISTINCT process_name), list_sort(list(DISTINCT "user")),
        epoch(max(_time)) FROM {endpoint_processes} WHERE dest IS NOT NULL GROUP BY dest""",
    ),
    "eventstats": Case(
        f"{_FROM} | eventstats count AS n by dest process_name | where n=1 "
        "| table _time dest process_name process n",
        """SELECT _time, dest, process_name, process, n FROM (
          SELECT *, count(*) OVER (PARTITION BY dest, process_name) AS n FROM (
            SELECT _time, dest, process_name, process FROM {endpoint_processes}))
        WHERE n = 1 ORDER BY _time DESC""",
    ),
    "join": Case(
        f"{_FROM} | search process_name=powershell.exe | fields dest user process | join dest "
        f"[{_FROM} | search process_name=whoami.exe | stats count AS asked by dest]"
        " | stats count sum(asked) AS asked by dest user",
        """SELECT dest, "user", count(*), sum(asked) FROM (
          SELECT dest, "user" FROM {endpoint_processes} WHERE process_name_lc = 'powershell.exe')
        JOIN (SELECT dest, count(*) AS asked FROM {endpoint_processes}
          WHERE process_name_lc = 'whoami.exe' GROUP BY dest) USING (dest) GROUP BY ALL""",
    ),
    "lookup": Case(
        f"{_FROM} | lookup tools tool AS process_name OUTPUT kind | stats count by kind user",
        """SELECT kind, "user", count(*) FROM {endpoint_processes} p
        JOIN read_csv('{lookup}', header = true) t ON p.process_name = t.tool GROUP BY ALL""",
    ),
    "transaction": Case(
        f"{_FROM} | search process_name IN (powershell.exe, cmd.exe) | fields _time dest process "
        "| transaction dest maxpause=60s | table _time dest process duration eventcount",
        """WITH found AS (
          SELECT _time, _event_id, dest, process FROM {endpoint_processes}
          WHERE process_name_lc IN ('powershell.exe', 'cmd.exe')),
        marked AS (
          SELECT *, coalesce(lag(_time) OVER w - _time > INTERVAL 60 SECONDS, true) AS starts
          FROM found WINDOW w AS (PARTITION BY dest ORDER BY _time DESC, _event_id DESC)),
        numbered AS (
          SELECT *, sum(starts::INT) OVER (
            PARTITION BY dest ORDER BY _time DESC, _event_id DESC
            ROWS UNBOUNDED PRECEDING) AS number FROM marked)
        SELECT min(_time) AS t, dest, list_sort(list(DISTINCT process)),
          epoch(max(_time)) - epoch(min(_time)), count(*)
        FROM numbered GROUP BY dest, number ORDER BY t DESC""",
    ),
    "timechart": Case(
        f"{_FROM} | timechart span=1h limit=5 useother=true count by process_name",
        """WITH counts AS (
          SELECT date_trunc('hour', _time) AS hour, process_name AS name, count(*) AS n
          FROM {endpoint_processes} GROUP BY ALL),
        top AS (SELECT name FROM counts GROUP BY 1 ORDER BY sum(n) DESC, 1 LIMIT 5)
        PIVOT (SELECT hour, coalesce(top.name, 'OTHER') AS name, n
          FROM counts LEFT JOIN top USING (name)) ON name USING sum(n) GROUP BY hour""",
    ),
    "dedup": Case(
        f"{_FROM} | dedup dest process_name | table _time dest process_name process",
        """SELECT _time, dest, process_name, process FROM (
          SELECT _time, _event_id, dest, process_name, process FROM {endpoint_processes}
          WHERE dest IS NOT NULL AND process_name IS NOT NULL)
        QUALIFY row_number() OVER (PARTITION BY dest, process_name
          ORDER BY _time DESC, _event_id DESC) = 1 ORDER BY _time DESC""",
    ),
}
"""Name -> search."""


def escudo_search(folder: Path, *, lake: str, case: str) -> dict[str, Any]:
    """From SPL text to rows, compiled anew each time; the median after one to warm up."""
    knowledge = _knowledge()
    with Lake.open(lake, create=False) as opened:
        engine = DuckDBEngine(opened, connect())

        def search() -> int:
            snapshot = opened.snapshot()
            found = run_search(
                CASES[case].spl, engine.over(snapshot), snapshot, knowledge, now=time.time()
            )
            return found.table.num_rows

        return _measured(search)


def by_hand(folder: Path, *, lake: str, case: str) -> dict[str, Any]:
    """The SQL on the same files."""
    with Lake.open(lake, create=False) as opened:
        places = {
            table: f"read_parquet({list(opened.files(table, ALL_TIME))})"
            for table in ("endpoint_processes", "raw_sysmon")
        }
    query = CASES[case].sql.format(**places, lookup=tools())
    with duckdb.connect() as connection:
        connection.execute("SET timezone = 'UTC'")
        return _measured(lambda: connection.sql(query).to_arrow_table().num_rows)


def tools() -> Path:
    """The lookup: what kind of tool a program is."""
    path = cache() / "tools.csv"
    if not path.exists():
        kinds = {"shell": ("cmd.exe", "powershell.exe"), "query": ("whoami.exe", "net.exe")}
        with open(path, "w", newline="", encoding="utf-8") as out:
            writer = csv.writer(out)
            writer.writerow(("tool", "kind"))
            writer.writerows((tool, kind) for kind, names in kinds.items() for tool in names)
    return path


def _knowledge() -> ContentKnowledge:
    return ContentKnowledge({}, {"tools": Lookup(name="tools", path=str(tools()))}, {}, ())


def _measured(search: Callable[[], int]) -> dict[str, Any]:
    rows = search()
    seconds, cpu = [], []
    for _ in range(_REPEATS):
        begun, used = time.perf_counter(), time.process_time()
        search()
        seconds.append(time.perf_counter() - begun)
        cpu.append(time.process_time() - used)
    return {"rows": rows, "seconds": median(seconds), "cpu": median(cpu)}
