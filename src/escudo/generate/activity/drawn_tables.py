"""The tables of a script and a number of people -> columns of text to draw rows of; ``write``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import polars as pl

from escudo.generate.activity.audit_text import execve, proctitle
from escudo.generate.activity.hours import Floats
from escudo.generate.activity.made_values import make_value
from escudo.generate.activity.script import Script, TableScript
from escudo.generate.catalog import Names
from escudo.generate.columns import Ints, joined
from escudo.generate.formats.evtx_json import escape_json
from escudo.generate.templates import Placeholder, Template


@dataclass(frozen=True)
class Table:
    """Columns of equal length; ``cumulative`` weights of the rows, the last of them 1."""

    columns: Mapping[str, pl.Series]
    cumulative: Floats

    def __len__(self) -> int:
        return len(self.cumulative)

    def draw(self, rows: int, rng: np.random.Generator) -> Ints:
        """Indices of rows, by their weights."""
        drawn = np.searchsorted(self.cumulative, rng.random(rows), side="right")
        return drawn.astype(np.int64)

    def find(self, key: str) -> int:
        """The row that a key names."""
        return self.columns["key"].to_list().index(key)


def make_tables(
    script: Script, names: Names, people: int, rng: np.random.Generator
) -> dict[str, Table]:
    """All tables, in the order of the script: later ones may take values of earlier ones."""
    made: dict[str, Table] = {}
    for name, table in script.tables.items():
        made[name] = _make(table, script.json, _people(names, people), made, rng)
    return made


def _make(
    script: TableScript,
    json: bool,
    people: Mapping[str, Sequence[Any]],
    others: Mapping[str, Table],
    rng: np.random.Generator,
) -> Table:
    given = dict(script.columns if script.columns is not None else people)
    rows = len(next(iter(given.values())))
    weights = np.array(given.pop("weight", [1] * rows), np.float64)
    if "argv" in given:
        arguments = [[str(a) for a in row] for row in given.pop("argv")]
        given["execve"] = [execve(row) for row in arguments]
        given["proctitle"] = [proctitle(row) for row in arguments]
    columns = {name: pl.Series([_text(v, json) for v in values]) for name, values in given.items()}
    picks: dict[str, Ints] = {}
    for name, template in script.add.items():
        columns[name] = _added(template, columns, rows, others, picks, rng)
    cumulative = np.cumsum(weights / weights.sum())
    cumulative[-1] = 1.0
    return Table(columns, cumulative)


def _text(value: Any, json: bool) -> str:
    """A value of a table: texts are escaped for JSON, others are written as JSON."""
    if isinstance(value, str):
        return escape_json(value) if json else value
    return orjson.dumps(value).decode()


def _added(
    template: Template,
    columns: Mapping[str, pl.Series],
    rows: int,
    others: Mapping[str, Table],
    picks: dict[str, Ints],
    rng: np.random.Generator,
) -> pl.Series:
    parts: list[pl.Series | str] = []
    for part in template:
        if not isinstance(part, Placeholder):
            parts.append(part)
        elif "." not in part.name:
            parts.append(make_value(part, rows, rng))
        else:
            table, column = part.name.split(".")
            if table == "self":
                parts.append(columns[column])
                continue
            if table not in picks:
                picks[table] = others[table].draw(rows, rng)
            parts.append(others[table].columns[column].gather(picks[table]))
    return joined(parts, rows)


def _people(names: Names, count: int) -> dict[str, list[Any]]:
    """``account`` (``anna.abel``), ``first``, ``last``, ``number`` from 1."""
    first = [names.first[i * 7 % len(names.first)] for i in range(count)]
    last = [names.last[(i * 11 + i // len(names.first)) % len(names.last)] for i in range(count)]
    seen: dict[str, int] = {}
    accounts = []
    for given, family in zip(first, last, strict=True):
        base = f"{given}.{family}"
        seen[base] = seen.get(base, 0) + 1
        accounts.append(base if seen[base] == 1 else f"{base}{seen[base]}")
    return {
        "account": accounts,
        "first": [name.capitalize() for name in first],
        "last": [name.capitalize() for name in last],
        "number": list(range(1, count + 1)),
        "uid": list(range(1001, 1001 + count)),
    }
