"""Event XML laid out for reading -> as Windows renders it: one line an event, single quotes.

Searches over ``_raw`` are written for that form (the Windows add-on's transforms read
``<Data Name='...'>`` in single quotes only). Only what stands between and inside tags changes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from escudo.sources.formats.bytesviews import PADDING, Positions, Words, pack_word, view_words

_DEEPEST_INDENT = 23
"""Bytes of a line end and its blanks that are layout, at most; more are part of a value."""
_OPEN, _CLOSE, _QUOTE, _APOSTROPHE, _SLASH = b"<>\"'/"
_BLANK = np.zeros(256, dtype=bool)
_BLANK[list(b" \t\r\n")] = True
_LINE = pack_word(b"\n       ")
_SPACES = pack_word(b"        ")
_PROLOG = pack_word(b"<?xml ve")
_PROLOG_LENGTH = len('<?xml version="1.0" encoding="utf-8"?>\n')
"""The ``evtx`` library writes this before each event."""
_SIX_BYTES = np.uint64((1 << 48) - 1)


def render_windows_form(text: bytes) -> bytes:
    """The same events without the layout that a pretty-printer gave them, and without prologs.

    An empty element, which the pretty-printer closes on the next line, is empty again.

    >>> text = b'<Event>\\n <Data Name="a">x "y"</Data>\\n <Data>\\n </Data>\\n</Event>\\n'
    >>> render_windows_form(text)
    b'<Event><Data Name=\\'a\\'>x "y"</Data><Data></Data></Event>\\n'
    """
    padded = bytearray(text)
    padded += bytes(PADDING)
    buffer = np.frombuffer(padded, np.uint8)
    words = view_words(padded)
    tags = np.flatnonzero(buffer == _OPEN)
    ends = np.flatnonzero(buffer == _CLOSE)
    if len(tags) == 0 or len(ends) == 0:
        return text
    following = np.searchsorted(ends, tags)
    head = words[tags]
    opening = (head >> np.uint64(8)).astype(np.uint8) != _SLASH
    close = np.append(ends, len(buffer))[following]
    _single_quotes(buffer, tags[opening], close[opening])
    after_name = (head >> np.uint64(48)).astype(np.uint8)
    named_event = (head & _SIX_BYTES) == pack_word(b"<Event")
    starts_event = named_event & (_BLANK[after_name] | (after_name == _CLOSE))
    layout = ~starts_event & (following > 0)
    keep = np.ones(len(text), dtype=bool)
    _drop_layout(words, keep, ends[following[layout] - 1] + 1, tags[layout])
    prolog = tags[head == _PROLOG]
    keep[prolog[:, None] + np.arange(_PROLOG_LENGTH)] = False
    return buffer[: len(text)][keep].tobytes()


def _single_quotes(buffer: npt.NDArray[np.uint8], tags: Positions, close: Positions) -> None:
    """Turns the quotes in each tag, unless an apostrophe stands there too."""
    apostrophes = np.flatnonzero(buffer == _APOSTROPHE)
    if len(apostrophes):
        after = np.append(apostrophes, len(buffer))[np.searchsorted(apostrophes, tags)]
        tags, close = (v[after > close] for v in (tags, close))
    if len(tags) == 0:
        return
    quotes = np.flatnonzero(buffer == _QUOTE)
    owner = np.searchsorted(tags, quotes) - 1
    inside = (owner >= 0) & (quotes < close[owner])
    buffer[quotes[inside]] = _APOSTROPHE


def _drop_layout(
    words: Words, keep: npt.NDArray[np.bool_], starts: Positions, stops: Positions
) -> None:
    """Marks what stands between two tags where it is a line end and spaces only."""
    lengths = stops - starts
    for length in range(1, _DEEPEST_INDENT + 1):
        at = starts[lengths == length]
        if len(at) == 0:
            continue
        plain = np.ones(len(at), dtype=bool)
        for offset in range(0, length, 8):
            mask = np.uint64((1 << (8 * min(8, length - offset))) - 1)
            wanted = _LINE if offset == 0 else _SPACES
            plain &= (words[at + offset] & mask) == (wanted & mask)
        keep[at[plain][:, None] + np.arange(length)] = False
