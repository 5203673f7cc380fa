"""A text that somebody sent -> whether it can be kept and shown; what keeps texts calls it."""

from __future__ import annotations


def is_text(text: str) -> bool:
    """Whether a text can be written as UTF-8, which half of a pair of surrogates cannot.

    >>> is_text("\N{GRINNING FACE}"), is_text(chr(0xD800))
    (True, False)
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
