"""A placeholder, a number of rows -> a column of made values, for ``drawn_tables``, ``groups``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import polars as pl

from escudo.generate.columns import Ints, dashed, fixed, hex_digits, numbers
from escudo.generate.templates import Placeholder

_CAPITALS = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", np.uint8)
_SMALL = np.frombuffer(b"abcdefghijkmnpqrstuvwxyz23456789", np.uint8)

TIME_FORMS: Mapping[str, str] = {
    "iso": "%Y-%m-%dT%H:%M:%SZ",
    "plain": "%Y-%m-%dT%H:%M:%S",
    "micro": "%Y-%m-%dT%H:%M:%S%.6fZ",
    "offset": "%Y-%m-%dT%H:%M:%S%.6f+0000",
    "access": "%d/%b/%Y:%H:%M:%S +0000",
    "epoch": "%s%.3f",
}

Make = Callable[[Sequence[str], int, np.random.Generator], pl.Series]


def time_text(form: str, ns: Ints) -> pl.Series:
    """Times in one of the forms.

    >>> time_text("epoch", np.array([1_715_644_800_123_000_000])).to_list()
    ['1715644800.123']
    """
    return pl.Series(ns).cast(pl.Datetime("ns")).dt.to_string(TIME_FORMS[form])


def make_value(placeholder: Placeholder, rows: int, rng: np.random.Generator) -> pl.Series:
    """A column of one sort of made values.

    >>> len(make_value(Placeholder("hex", ("4",)), 2, np.random.default_rng(1))[0])
    4
    """
    return _MAKES[placeholder.name](placeholder.args, rows, rng)


def _number(args: Sequence[str], rows: int, rng: np.random.Generator) -> pl.Series:
    return numbers(rng.integers(int(args[0]), int(args[1]) + 1, rows))


def _hex(args: Sequence[str], rows: int, rng: np.random.Generator, *, upper: bool) -> pl.Series:
    width = int(args[0])
    data = rng.integers(0, 256, (rows, (width + 1) // 2), dtype=np.uint8)
    return fixed(hex_digits(data, upper=upper)[:, :width])


def _guid(args: Sequence[str], rows: int, rng: np.random.Generator) -> pl.Series:
    data = rng.integers(0, 256, (rows, 16), dtype=np.uint8)
    data[:, 6] = (data[:, 6] & 0x0F) | 0x40
    data[:, 8] = (data[:, 8] & 0x3F) | 0x80
    return fixed(dashed(hex_digits(data, upper=False)))


def _letters(
    args: Sequence[str],
    rows: int,
    rng: np.random.Generator,
    *,
    of: np.ndarray[tuple[int], np.dtype[np.uint8]],
) -> pl.Series:
    return fixed(of[rng.integers(0, len(of), (rows, int(args[0])), dtype=np.uint8)])


_MAKES: Mapping[str, Make] = {
    "n": _number,
    "hex": lambda args, rows, rng: _hex(args, rows, rng, upper=False),
    "HEX": lambda args, rows, rng: _hex(args, rows, rng, upper=True),
    "guid": _guid,
    "key": lambda args, rows, rng: _letters(args, rows, rng, of=_CAPITALS),
    "name": lambda args, rows, rng: _letters(args, rows, rng, of=_SMALL),
}
