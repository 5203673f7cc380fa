"""The state -> collections of the KV store: rows that are JSON objects, found by MongoDB's queries
as Splunk takes them; Splunk's REST and searches that name a collection call it."""

from __future__ import annotations

import csv
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from escudo.core.errors import EscudoError
from escudo.core.whole_file import write_whole
from escudo.schedule.database import State
from escudo.serve.tables import KV_ROWS
from escudo.serve.texts import is_text

COLLECTION = "collection"
"""The kind of setting that a collection is; its name is ``app/name``."""

MOST_BATCH = 1_000
"""Rows of one batch at most, as in Splunk."""

MOST_ROWS = 50_000
"""Rows that one query gives at most, as in Splunk."""

Row = dict[str, Any]


class Collections:
    """The rows of collections. A collection belongs to an app and an owner (``nobody``: all)."""

    def __init__(self, state: State, *, clock: Callable[[], float]) -> None:
        self._state = state
        self._clock = clock

    def list(self, app: str, owner: str, collection: str) -> Sequence[Row]:
        """All rows, by key."""
        query = sa.select(KV_ROWS.c.value).where(*_place(app, owner, collection))
        with self._state.read() as connection:
            rows = connection.execute(query.order_by(KV_ROWS.c.key)).all()
        return [json.loads(row.value) for row in rows]

    def find(self, app: str, owner: str, collection: str, key: str) -> Row:
        """Raises EscudoError: SRV041 where there is no row of the key."""
        query = sa.select(KV_ROWS.c.value).where(
            *_place(app, owner, collection), KV_ROWS.c.key == key
        )
        with self._state.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise EscudoError("SRV041", f"{collection} has no row {key!r}")
        found: Row = json.loads(row.value)
        return found

    def put(
        self,
        app: str,
        owner: str,
        collection: str,
        rows: Sequence[Mapping[str, Any]],
        *,
        new: bool = False,
    ) -> Sequence[str]:
        """Keeps rows, each in place of one that has its ``_key``; gives their keys.

        Raises:
            EscudoError: SRV043 where ``new`` rows have keys that are there, or rows are too many.
        """
        if len(rows) > MOST_BATCH:
            raise EscudoError("SRV043", f"a batch has {MOST_BATCH:,} rows at most")
        try:
            written = json.dumps([*rows], ensure_ascii=False, allow_nan=False)
        except ValueError as error:
            raise EscudoError("SRV043", "a row has a number that JSON cannot have") from error
        if not is_text(written):
            raise EscudoError("SRV043", "a row has half a character, which is no text")
        keyed = [{**row, "_key": str(row.get("_key") or secrets.token_hex(12))} for row in rows]
        keys = [row["_key"] for row in keyed]
        place = {"app": app, "owner": owner, "collection": collection}
        with self._state.begin(alone=True) as connection:
            there = KV_ROWS.c.key.in_(keys)
            known = connection.execute(
                sa.select(KV_ROWS.c.key).where(*_place(app, owner, collection), there)
            ).all()
            if new and known:
                raise EscudoError("SRV043", f"{collection} has a row {known[0].key!r}")
            connection.execute(sa.delete(KV_ROWS).where(*_place(app, owner, collection), there))
            latest = {row["_key"]: row for row in keyed}
            for key, row in latest.items():
                connection.execute(
                    sa.insert(KV_ROWS).values(
                        **place, key=key, value=json.dumps(row), changed=self._clock()
                    )
                )
        return keys

    def remove(self, app: str, owner: str, collection: str, keys: Sequence[str] | None) -> int:
        """Takes rows away, all where no keys are given; how many."""
        where = list(_place(app, owner, collection))
        if keys is not None:
            where.append(KV_ROWS.c.key.in_(keys))
        with self._state.begin() as connection:
            return connection.execute(sa.delete(KV_ROWS).where(*where)).rowcount

    def write_csv(self, app: str, owner: str, collection: str, path: Path) -> None:
        """Writes all rows as a CSV file, which ``inputlookup`` and ``lookup`` read."""
        rows = self.list(app, owner, collection)
        fields = [*dict.fromkeys(name for row in rows for name in row)]
        with write_whole(path) as stream:
            lines = csv.writer(_Encoder(stream.write), lineterminator="\n")
            lines.writerow(fields or ["_key"])
            lines.writerows([_write(row.get(name)) for name in fields] for row in rows)


class _Encoder:
    """A text stream for ``csv`` over a byte stream."""

    def __init__(self, write: Callable[[bytes], int]) -> None:
        self._write = write

    def write(self, text: str) -> int:
        return self._write(text.encode())


def _write(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case dict() | list():
            return json.dumps(value)
    return str(value)


def _place(app: str, owner: str, collection: str) -> Sequence[sa.ColumnElement[bool]]:
    return (
        KV_ROWS.c.app == app,
        KV_ROWS.c.owner == owner,
        KV_ROWS.c.collection == collection,
    )


def select_rows(
    rows: Sequence[Row],
    *,
    query: Any = None,
    fields: str = "",
    sort: str = "",
    skip: int = 0,
    limit: int = 0,
) -> list[Row]:
    """The rows that a query finds, sorted, a page of them, some of their fields.

    >>> rows = [{"a": 1, "b": "x"}, {"a": 3, "b": "y"}, {"a": 2}]
    >>> select_rows(rows, query={"a": {"$gt": 1}}, sort="a:-1", fields="a")
    [{'a': 3}, {'a': 2}]

    Raises:
        EscudoError: SRV044 for a query that cannot be read.
    """
    try:
        found = [row for row in rows if query is None or matches(row, query)]
    except RecursionError:
        raise EscudoError("SRV044", "a query is nested too deep") from None
    for part in reversed([p for p in sort.split(",") if p]):
        name, _, order = part.partition(":")
        found.sort(key=lambda row, name=name: _rank(row.get(name)), reverse=order == "-1")  # type: ignore[misc]
    found = found[skip : skip + min(limit or MOST_ROWS, MOST_ROWS)]
    return [_project(row, fields) for row in found]


def _rank(value: Any) -> tuple[int, Any]:
    """Values of different kinds in an order."""
    match value:
        case None:
            return 0, 0
        case bool() | int() | float():
            return 1, value
    return 2, str(value)


def _project(row: Row, fields: str) -> Row:
    """``a,b`` keeps fields, ``a:0`` leaves them out; ``_key`` only goes where it is named so."""
    if not fields:
        return row
    asked = {name: flag != "0" for name, _, flag in (p.partition(":") for p in fields.split(","))}
    if all(asked.values()):
        return {name: value for name, value in row.items() if name in asked}
    if not any(keep for name, keep in asked.items() if name != "_key"):
        return {name: value for name, value in row.items() if asked.get(name, True)}
    kept = {name for name, keep in asked.items() if keep}
    return {name: value for name, value in row.items() if name in kept}


def matches(row: Mapping[str, Any], query: Any) -> bool:
    """Whether a row is what a query asks for.

    >>> row = {"a": 5, "b": {"c": "x"}}
    >>> matches(row, {"$or": [{"a": {"$lt": 3}}, {"b.c": "x"}]}), matches(row, {"a": {"$in": [1]}})
    (True, False)

    Raises:
        EscudoError: SRV044 for a query that cannot be read.
    """
    if not isinstance(query, dict):
        raise EscudoError("SRV044", f"a query is a JSON object, not {query!r}")
    return all(_meets(row, name, asked) for name, asked in query.items())


def _meets(row: Mapping[str, Any], name: str, asked: Any) -> bool:
    match name:
        case "$and":
            return all(matches(row, one) for one in _list(asked))
        case "$or":
            return any(matches(row, one) for one in _list(asked))
        case "$nor":
            return not any(matches(row, one) for one in _list(asked))
        case "$not":
            return not matches(row, asked)
    if name.startswith("$"):
        raise EscudoError("SRV044", f"{name} is no operator that is known here")
    value: Any = row
    for part in [name] if name in row else name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if isinstance(asked, dict) and any(key.startswith("$") for key in asked):
        asked = _join_options(asked)
        return all(_compare(value, operator, operand) for operator, operand in asked.items())
    return _equals(value, asked)


def _join_options(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same with ``$options`` as part of the pattern that they are of.

    >>> _join_options({"$regex": "^an", "$options": "i"})
    {'$regex': '(?i)^an'}
    """
    if "$regex" not in asked or "$options" not in asked:
        return asked
    options = str(asked["$options"])
    if not set(options) <= set("ims"):
        raise EscudoError("SRV044", f"$options are of i, m and s, not {options!r}")
    rest = {operator: operand for operator, operand in asked.items() if operator != "$options"}
    return {**rest, "$regex": f"(?{options}){asked['$regex']}"} if options else rest


def _compare(value: Any, operator: str, operand: Any) -> bool:
    match operator:
        case "$eq":
            return _equals(value, operand)
        case "$ne":
            return not _equals(value, operand)
        case "$in":
            return any(_equals(value, one) for one in _list(operand))
        case "$nin":
            return not any(_equals(value, one) for one in _list(operand))
        case "$exists":
            return (value is not None) is bool(operand)
        case "$not":
            if not isinstance(operand, dict):
                raise EscudoError("SRV044", f"$not takes an object of operators, not {operand!r}")
            return not all(_compare(value, o, v) for o, v in operand.items())
        case "$regex":
            return isinstance(value, str) and _search(str(operand), value)
        case "$gt" | "$gte" | "$lt" | "$lte":
            return _is_ordered(value, operator, operand)
    raise EscudoError("SRV044", f"{operator} is no operator that is known here")


_MOST_PATTERN = 200


def _search(pattern: str, value: str) -> bool:
    if len(pattern) > _MOST_PATTERN or not is_text(pattern):
        raise EscudoError("SRV044", f"a pattern is text, of {_MOST_PATTERN} characters at most")
    try:  # RE2: a pattern of Python's can take for ever over a short text
        return bool(pc.match_substring_regex(pa.scalar(value), pattern).as_py())
    except pa.ArrowInvalid as error:
        raise EscudoError("SRV044", f"{pattern!r} is no pattern: {error}") from error


def _is_ordered(value: Any, operator: str, operand: Any) -> bool:
    numbers = isinstance(value, int | float) and isinstance(operand, int | float)
    if not numbers and not (isinstance(value, str) and isinstance(operand, str)):
        return False
    match operator:
        case "$gt":
            return bool(value > operand)
        case "$gte":
            return bool(value >= operand)
        case "$lt":
            return bool(value < operand)
    return bool(value <= operand)


def _equals(value: Any, asked: Any) -> bool:
    if isinstance(value, list) and not isinstance(asked, list):
        return asked in value
    return bool(value == asked)


def _list(asked: Any) -> Sequence[Any]:
    if not isinstance(asked, list):
        raise EscudoError("SRV044", f"a list is wanted, not {asked!r}")
    return asked
