"""Text of a table (CSV or JSON) -> its rows; ``makeresults`` calls it."""

from __future__ import annotations

import csv
import io

import orjson
import pyarrow as pa

from escudo.core.errors import EscudoError, Span
from escudo.spl.relation.values import number_text


def read_data(text: str, kind: str, span: Span | None) -> pa.Table:
    """``makeresults format=csv|json data=...``: a CSV table, or JSON objects.

    >>> read_data('a,b\\n1,x', "csv", None).to_pylist()
    [{'a': '1', 'b': 'x'}]
    """
    if kind == "csv":
        reader = csv.reader(io.StringIO(text.strip()))
        header = [h.strip() for h in next(reader, [])]
        lines = [line for line in reader if line]
        cells = {name: [_cell(line, i) for line in lines] for i, name in enumerate(header)}
        return pa.table({n: pa.array(values, pa.string()) for n, values in cells.items()})
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise EscudoError("SPL104", f"data is not JSON: {error}", span=span) from error
    records = data if isinstance(data, list) else [data]
    names = dict.fromkeys(n for r in records for n in r)
    texts = {n: [_write_text(r.get(n)) for r in records] for n in names}
    return pa.table({n: pa.array(values, pa.string()) for n, values in texts.items()})


def _cell(line: list[str], index: int) -> str | None:
    return (line[index].strip() or None) if index < len(line) else None


def _write_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    return orjson.dumps(value).decode()
