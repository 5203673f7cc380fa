"""Rows that come from the command itself: ``makeresults``, ``gentimes``."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime

import orjson
import pyarrow as pa

from escudo.core.errors import EscudoError, Span
from escudo.spl.relation.values import number_text

_INCREMENT = re.compile(r"(\d+)([smhd])?\Z")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def read_data(text: str, kind: str, span: Span | None) -> pa.Table:
    """``makeresults format=csv|json data=...``: a CSV table, or JSON objects.

    >>> read_data('a,b\\n1,x', "csv", None).to_pylist()
    [{'a': '1', 'b': 'x'}]
    """
    if kind == "csv":
        reader = csv.reader(io.StringIO(text.strip()))
        header = [h.strip() for h in next(reader, [])]
        cells = [row for row in reader if row]
        columns = {
            name: pa.array(
                [(r[i].strip() or None) if i < len(r) else None for r in cells], pa.string()
            )
            for i, name in enumerate(header)
        }
        return pa.table(columns)
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise EscudoError("SPL104", f"data is not JSON: {error}", span=span) from error
    records = found if isinstance(found, list) else [found]
    names = list(dict.fromkeys(n for r in records for n in r))
    return pa.table({n: pa.array([_text(r.get(n)) for r in records], pa.string()) for n in names})


def _cell(row: list[str], index: int) -> str | None:
    return (row[index].strip() or None) if index < len(row) else None


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    return orjson.dumps(value).decode()


def times(start: str, end: str | None, increment: str, now: float, span: Span | None) -> pa.Table:
    """``gentimes``: a row for each interval, newest first as the manual's examples list them in
    order of time (``starttime``, ``starthuman``, ``endtime``, ``endhuman``)."""
    found = _INCREMENT.match(increment)
    if found is None:
        raise EscudoError("SPL104", f"'{increment}' is no increment such as 1d", span=span)
    step = int(found[1]) * _SECONDS[found[2] or "d"]
    first = _day(start, now, span)
    last = _day(end, now, span) if end is not None else _midnight(now)
    starts: list[int] = []
    at = first
    while at < last and step > 0 and len(starts) < 1_000_000:
        starts.append(at)
        at += step
    ends = [s + step - 1 for s in starts]
    return pa.table(
        {
            "starttime": pa.array(starts, pa.int64()),
            "starthuman": [_human(t) for t in starts],
            "endtime": pa.array(ends, pa.int64()),
            "endhuman": [_human(t) for t in ends],
        }
    )


def _midnight(now: float) -> int:
    return int(now // 86400) * 86400


def _day(text: str, now: float, span: Span | None) -> int:
    if re.fullmatch(r"-?\d+", text):
        return _midnight(now) + int(text) * 86400
    for form in ("%m/%d/%Y:%H:%M:%S", "%m/%d/%Y", "%m/%d/%y"):
        try:
            return int(datetime.strptime(text, form).replace(tzinfo=UTC).timestamp())
        except ValueError:
            continue
    raise EscudoError("SPL104", f"'{text}' is no date such as 10/25/2023", span=span)


def _human(epoch: int) -> str:
    return f"{datetime.fromtimestamp(epoch, UTC):%a %b %e %H:%M:%S %Y}"
