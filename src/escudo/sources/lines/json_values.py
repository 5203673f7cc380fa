"""Texts that hold a JSON object each -> columns; ``extraction`` calls it."""

from __future__ import annotations

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from escudo.sources.events import Values
from escudo.sources.formats.bytesviews import Positions
from escudo.sources.formats.column_cleanup import wrap_in_lists
from escudo.sources.formats.json_columns import JsonLines, view_bytes
from escudo.sources.formats.json_forms import read_forms
from escudo.sources.lines.spans import scatter


def read_objects(texts: pa.Array) -> dict[str, Values]:
    """The fields of objects, by their dotted paths; a text that is no object has none.

    >>> read_objects(pa.array(['{"a":{"b":"c"}}', "up"]))["a.b"].to_pylist()
    ['c', None]
    """
    lines = pc.utf8_trim_whitespace(texts)
    likely = pc.fill_null(pc.match_substring_regex(lines, r"^\{[^\n]*\}$"), False)
    rows = np.flatnonzero(likely.to_numpy(zero_copy_only=False))
    if not len(rows):
        return {}
    try:
        return _read(lines.take(pa.array(rows)), rows, len(texts))
    except ValueError:
        sound = rows[[_is_object(text) for text in lines.take(pa.array(rows)).to_pylist()]]
        return _read(lines.take(pa.array(sound)), sound, len(texts)) if len(sound) else {}


def _read(lines: pa.Array, rows: Positions, size: int) -> dict[str, Values]:
    reader = JsonLines()
    out: dict[str, Values] = {}
    for numbers, paths in reader.columns(lines, reader.count(view_bytes(lines))):
        raw = lines.take(pa.array(numbers))
        for _, chosen, fields in read_forms(paths, len(raw), raw) if paths else ():
            here = numbers if chosen is None else numbers[chosen]
            order = np.argsort(rows[here], kind="stable")
            places = rows[here][order]
            for name, values in fields.items():
                column = scatter(values.take(pa.array(order)), places, size)
                out[name] = _merged(out.get(name), column)
    return out


def _merged(first: Values | None, second: pa.Array) -> pa.Array:
    if first is None or isinstance(first, str):
        return second
    if first.type != second.type:
        first, second = wrap_in_lists(first), wrap_in_lists(second)
    return pc.coalesce(first, second)


def _is_object(text: str) -> bool:
    try:
        return isinstance(orjson.loads(text), dict)
    except orjson.JSONDecodeError:
        return False
