"""Pretty-printed event XML as Windows itself renders it: one line an event, single quotes.

Searches over ``_raw`` are written for that form (the Windows add-on's transforms read
``<Data Name='...'>`` in single quotes only). Only what stands between and inside tags changes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from escudo.sources.formats.bytesviews import PADDING, Positions, Words, up_to, word, words_of

_MOST_QUOTES = 12
_DEEPEST_INDENT = 24
_OPEN, _CLOSE, _QUOTE, _APOSTROPHE, _SLASH, _NEWLINE = b"<>\"'/\n"
_BLANK = np.zeros(256, dtype=bool)
_BLANK[list(b" \t\r\n")] = True
_FIVE_BYTES = np.uint64((1 << 40) - 1)
_SIX_BYTES = np.uint64((1 << 48) - 1)


def windows_form(text: bytes) -> bytes:
    """The same events without the layout that a pretty-printer gave them.

    >>> windows_form(b'<Event>\\n  <Data Name="a">x "y"</Data>\\n  <Data>\\n </Data>\\n</Event>\\n')
    b'<Event><Data Name=\\'a\\'>x "y"</Data><Data>\\n </Data></Event>\\n'
    """
    padded = bytearray(PADDING)
    padded += text
    padded += bytes(PADDING)
    buffer = np.frombuffer(padded, np.uint8)
    words = words_of(padded)
    tags = np.flatnonzero(buffer == _OPEN)
    opening = buffer[tags + 1] != _SLASH
    _single_quotes(buffer, words, tags[opening])
    data = opening & ((words[tags] & _FIVE_BYTES) == word(b"<Data"))
    starts_event = ((words[tags] & _SIX_BYTES) == word(b"<Event")) & _after_name(buffer, tags + 6)
    value_ends = np.concatenate(([True], data[:-1] & ~opening[1:]))[: len(tags)]
    keep = np.ones(len(buffer), dtype=bool)
    _drop_blanks(buffer, keep, tags[~starts_event & ~value_ends])
    keep[:PADDING] = keep[PADDING + len(text) :] = False
    return buffer[keep].tobytes()


def _after_name(buffer: npt.NDArray[np.uint8], at: Positions) -> npt.NDArray[np.bool_]:
    return np.asarray(_BLANK[buffer[at]] | (buffer[at] == _CLOSE))


def _single_quotes(buffer: npt.NDArray[np.uint8], words: Words, tags: Positions) -> None:
    """Turns the quotes in each tag, unless an apostrophe stands there too."""
    close = up_to(words, tags, _CLOSE)
    apostrophe = up_to(words, tags, _APOSTROPHE)
    tags, close = (v[(apostrophe == tags) | (apostrophe > close)] for v in (tags, close))
    at = tags
    for _ in range(_MOST_QUOTES):
        quote = up_to(words, at, _QUOTE)
        inside = (quote > at) & (quote < close)
        if not inside.any():
            return
        at, close = quote[inside], close[inside]
        buffer[at] = _APOSTROPHE


def _drop_blanks(
    buffer: npt.NDArray[np.uint8], keep: npt.NDArray[np.bool_], tags: Positions
) -> None:
    """Marks the blanks before each tag that stand right after another tag."""
    run = np.zeros(len(tags), dtype=np.int64)
    open_rows = np.arange(len(tags))
    for back in range(1, _DEEPEST_INDENT + 1):
        open_rows = open_rows[_BLANK[buffer[tags[open_rows] - back]]]
        run[open_rows] = back
    after_tag = (run > 0) & (buffer[tags - run - 1] == _CLOSE)
    for back in range(1, _DEEPEST_INDENT + 1):
        rows = after_tag & (run >= back)
        if not rows.any():
            return
        keep[tags[rows] - back] = False
