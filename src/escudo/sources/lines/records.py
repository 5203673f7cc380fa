"""Records of one event, each a row -> the same rows, with fields that their siblings have.

``extraction`` calls it: the audit system writes an event as several records with one serial number.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from escudo.sources.formats.bytesviews import Positions
from escudo.sources.lines.text_form import RecordRule


def join_records(
    fields: Mapping[str, pa.Array], rule: RecordRule, size: int
) -> dict[str, pa.Array]:
    """Fields of rows, with those given by the records of the same event; a record's own stay.

    Of several records of a kind the first of the event gives.

    >>> rows = {"id": ["7", "7"], "type": ["A", "B"], "x": ["1", None]}
    >>> rows = {name: pa.array(values) for name, values in rows.items()}
    >>> rule = RecordRule(mark="", key=("id",), kind="type", give={"A": ("x",)})
    >>> join_records(rows, rule, 2)["x"].to_pylist()
    ['1', '1']
    """
    out = dict(fields)
    kinds = fields.get(rule.kind)
    events = number_events(fields, rule, size)
    if kinds is None or events is None:
        return out
    count = int(events.max()) + 1
    encoded = kinds.dictionary_encode()
    codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
    words = encoded.dictionary.to_pylist()
    for kind, names in rule.give.items():
        if kind not in words:
            continue
        rows = np.flatnonzero(codes == words.index(kind))
        giver = np.full(count, -1, dtype=np.int64)
        giver[events[rows[::-1]]] = rows[::-1]
        taken = giver[events]
        place = pa.array(np.maximum(taken, 0), mask=taken < 0)
        for name in names:
            own = fields.get(name)
            if own is not None:
                known = out.get(name, own)
                out[name] = pc.coalesce(known, own.take(place))
    return out


def number_events(fields: Mapping[str, pa.Array], rule: RecordRule, size: int) -> Positions | None:
    """The number of the event that each row is a record of; None where none can be told."""
    code = np.zeros(size, dtype=np.int64)
    known = False
    for name in rule.key:
        values = fields.get(name)
        if values is None:
            continue
        known = True
        encoded = values.dictionary_encode()
        size_here = len(encoded.dictionary) + 1
        indices = pc.fill_null(encoded.indices, size_here - 1).to_numpy(zero_copy_only=False)
        code = code * size_here + indices
    if not known or not size:
        return None
    numbers: Positions = np.unique(code, return_inverse=True)[1]
    return numbers
