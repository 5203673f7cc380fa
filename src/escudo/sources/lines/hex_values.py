"""Values written as hexadecimal digits -> their text, all at once; ``extraction`` calls it.

The audit system writes a value so that has a blank, a quote or a control character in it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from escudo.sources.formats.bytesviews import Positions
from escudo.sources.formats.text import repair_utf8
from escudo.sources.lines.spans import Flags, TextBytes, scatter

_NIBBLES = np.full(256, 255, dtype=np.uint8)
_NIBBLES[list(b"0123456789")] = np.arange(10)
_NIBBLES[list(b"ABCDEF")] = np.arange(10, 16)
_DIGITS = r"^(?:[0-9A-F]{2})+$"


def decode_hex(values: pa.Array, which: Flags) -> pa.Array:
    """Those of some values that are pairs of digits as text; NUL between words becomes a blank.

    >>> decode_hex(pa.array(["6C73002D6C", "ls", None]), np.array([True, True, True])).to_pylist()
    ['ls -l', 'ls', None]
    """
    encoded = pc.fill_null(pc.match_substring_regex(values, _DIGITS), False)
    chosen = encoded.to_numpy(zero_copy_only=False) & which
    if not chosen.any():
        return values
    rows = np.flatnonzero(chosen)
    where = TextBytes.of(values.take(pa.array(rows)))
    nibbles = _NIBBLES[where.data]
    plain = ((nibbles[0::2] << 4) | nibbles[1::2]).astype(np.uint8)
    plain[plain == 0] = ord(" ")
    decoded = _make_texts(plain, where.ends // 2)
    mask = pa.array(chosen)
    return pc.if_else(mask, scatter(decoded, rows, len(values)), values)


def _make_texts(plain: npt.NDArray[np.uint8], ends: Positions) -> pa.Array:
    """Texts of bytes that may be no UTF-8: such a byte is U+FFFD."""
    offsets = pa.py_buffer(np.append(0, ends).astype(np.int32))
    texts = pa.Array.from_buffers(
        pa.string(), len(ends), [None, offsets, pa.py_buffer(plain.tobytes())]
    )
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        return pa.array(
            [repair_utf8(text).decode() for text in texts.cast(pa.binary()).to_pylist()],
            pa.string(),
        )
    return pc.utf8_rtrim_whitespace(texts)
