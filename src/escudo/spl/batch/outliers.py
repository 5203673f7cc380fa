"""Rows -> the same without numbers far outside the middle: ``outlier`` (Search Reference)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from escudo.spl.batch.pivot import column
from escudo.spl.relation.values import is_numeric_text, number_text


@dataclass(frozen=True)
class Outliers:
    """``remove`` takes the value (or, with ``mark``, only marks it); else it is cut to the bound.
    ``param`` times the interquartile range bounds the middle; ``lower`` bounds it below, too."""

    remove: bool = False
    mark: bool = False
    param: float = 2.5
    lower: bool = False


def numbers(cells: Sequence[Any]) -> list[float | None]:
    """Cells as numbers, None for what is none."""
    out: list[float | None] = []
    for c in cells:
        if isinstance(c, str):
            out.append(float(c) if is_numeric_text(c) else None)
        else:
            out.append(float(c) if isinstance(c, int | float) else None)
    return out


def without_outliers(table: pa.Table, names: Sequence[str], options: Outliers) -> pa.Table:
    """Outliers of the numeric fields removed, or cut to the nearest bound.

    >>> t = pa.table({"n": [1, 2, 2, 3, 100]})
    >>> without_outliers(t, [], Outliers()).column("n").to_pylist()
    [1.0, 2.0, 2.0, 3.0, 5.5]
    """
    for name in names or [n for n in table.column_names if not n.startswith("_")]:
        if name not in table.column_names:
            continue
        cells = table[name].to_pylist()
        values = numbers(cells)
        known = [v for v in values if v is not None]
        if not known or (not names and len(known) < sum(c is not None for c in cells)):
            continue
        low, high = np.quantile(known, (0.25, 0.75))
        reach = options.param * (high - low)
        top, bottom = float(high + reach), float(low - reach)
        changed = [_treated(c, v, bottom, top, options) for c, v in zip(cells, values, strict=True)]
        at = table.column_names.index(name)
        table = table.set_column(at, name, column(changed))
    return table


def _treated(cell: Any, value: float | None, bottom: float, top: float, options: Outliers) -> Any:
    if value is None or (value <= top and (value >= bottom or not options.lower)):
        return cell
    if options.remove:
        return None
    bound = top if value > top else bottom
    bound = int(bound) if bound == int(bound) else bound
    return f"000{number_text(bound)}" if options.mark else bound
