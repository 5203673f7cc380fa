"""Events as JSON lines, each with a number, and what of them is in a lake."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import duckdb

from escudo.core.timerange import ALL_TIME
from escudo.lake import Lake

CHANNEL = "Microsoft-Windows-Sysmon/Operational"


def line(number: int, parent: str = "explorer.exe") -> str:
    """A process creation as a JSON line without its line feed."""
    return json.dumps(
        {
            "EventID": 1,
            "Channel": CHANNEL,
            "Provider": "Microsoft-Windows-Sysmon",
            "Computer": "pc1",
            "TimeCreated": f"2026-11-29T10:{number // 60 % 60:02}:{number % 60:02}.000Z",
            "Image": "C:\\Windows\\System32\\cmd.exe",
            "ParentImage": f"C:\\Windows\\System32\\{parent}",
            "ProcessGuid": f"{{0-{number}}}",
            "User": "PC1\\ann",
            "CommandLine": f"cmd.exe /c echo {number}",
            "ProcessId": number,
        }
    )


def lines(numbers: Iterable[int]) -> str:
    """Events as a file has them."""
    return "".join(f"{line(n)}\n" for n in numbers)


def attack(number: int) -> str:
    """A process that WMI began, as a line: *Process Execution via WMI* finds it."""
    return line(number, "wbem\\WmiPrvSE.exe") + "\n"


def read_numbers(path: Path) -> Counter[int]:
    """How often each event is in the lake."""
    found: Counter[int] = Counter()
    with Lake.open(path, create=False) as lake:
        snapshot = lake.snapshot()
        for table in snapshot.tables():
            files = list(snapshot.files(table, ALL_TIME))
            if table.startswith("raw_") and files:
                rows = duckdb.sql(
                    f"SELECT _raw FROM read_parquet({files!r}) WHERE _raw IS NOT NULL"
                ).fetchall()
                found.update(int(raw.split("echo ")[1].split('"')[0]) for (raw,) in rows)
    return found


def all_once(numbers: Iterable[int]) -> Counter[int]:
    """Each of some events once."""
    return Counter(numbers)
