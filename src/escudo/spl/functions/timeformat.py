"""A time format of Splunk's -> its parts, for ``strftime``, ``strptime`` and their kernels.

A format is taken apart here, so that engines meet only a small, common vocabulary:
``%Y %m %d %H %I %M %S %p %y %j %a %A %b %B %w %U %W %V %G %u``, ``%g`` (milliseconds, three
digits) and ``%f`` (microseconds, six; when parsing: any number of digits), and in parsing ``%z``
and ``%Z``. The rest is written out (``%F``) or becomes an expression of its own (``%s``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_COMPOSITE = {
    "F": "%Y-%m-%d",
    "T": "%H:%M:%S",
    "D": "%m/%d/%y",
    "R": "%H:%M",
    "r": "%I:%M:%S %p",
    "c": "%a %b %d %H:%M:%S %Y",
    "x": "%m/%d/%Y",
    "X": "%H:%M:%S",
    "+": "%a %b %d %H:%M:%S %Z %Y",
    "v": "%e-%b-%Y",
    "h": "%b",
    "n": "\n",
    "t": "\t",
}
_COMMON = frozenset("YmdHIMSpyjaAbBwUWVGuzZ%")
_TOKEN = re.compile(r"%(?:(\d)?([NQ])|(:{1,3})z|[-_0^#]?([A-Za-z+%]))|([^%]+)|%")


@dataclass(frozen=True)
class Part:
    """One piece of a format: literal text, a common variable, or one of its own kind.

    ``kind``: ``text``; ``common`` (``value`` is the letter); ``epoch``; ``subseconds`` (``digits``
    of them); ``hour24``, ``hour12``, ``day`` (padded with a blank: ``%k %l %e``); ``zone`` (with
    colons).
    """

    kind: str
    value: str = ""
    digits: int = 0


def split_format(text: str) -> tuple[Part, ...]:
    """A format in pieces; composites are written out, unknown variables stay as they are.

    >>> [p.value or p.kind for p in split_format("%F at %s")]
    ['Y', '-', 'm', '-', 'd', ' at ', 'epoch']
    """
    out: list[Part] = []
    for m in _TOKEN.finditer(text):
        digits, subsecond, colons, letter, plain = m.groups()
        if plain is not None:
            out.append(Part("text", plain))
        elif subsecond is not None:
            default = 3 if subsecond == "Q" else 9
            out.append(Part("subseconds", digits=int(digits or default) or default))
        elif colons is not None:
            out.append(Part("zone", value=colons))
        elif letter is None or letter == "%":
            out.append(Part("text", "%"))
        elif letter in _COMPOSITE:
            out += split_format(_COMPOSITE[letter])
        elif letter == "f":
            out.append(Part("subseconds", digits=6))
        elif letter in _COMMON:
            out.append(Part("common", letter))
        elif letter in _OWN:
            out.append(Part(_OWN[letter]))
        else:
            out.append(Part("text", m[0]))
    return tuple(out)


_OWN = {"s": "epoch", "e": "day", "k": "hour24", "l": "hour12"}
