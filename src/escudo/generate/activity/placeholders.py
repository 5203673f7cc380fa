"""A text with placeholders (``"id":"${guid:id}"``) -> its parts; ``script`` calls it.

``${TABLE.COLUMN}`` is a value of the row that was drawn of a table. ``${self.COLUMN}`` is a column
of the same table. The others are made:

- ``n:LOW:HIGH`` a number, ``hex:K`` and ``HEX:K`` hex digits, ``key:K`` capitals and digits,
  ``name:K`` small letters and digits, ``guid``
- ``time:FORM`` when the event was written, ``start:FORM`` when its group began
- ``serial`` the number of the event on its host

One more argument, as in ``hex:8:a`` and ``hex:8:b``, makes values of the same sort differ. The same
placeholder has the same value in all events of a group.
"""

from __future__ import annotations

import re

from escudo.generate.templates import Part, Placeholder, Template

_PLACEHOLDER = re.compile(r"\$\{([\w.]+)((?::\w+)*)\}")
MADE = frozenset(("n", "hex", "HEX", "key", "name", "guid", "time", "start", "serial"))


def parse(text: str) -> Template:
    """Split a text into literal parts and placeholders.

    Raises ValueError for a placeholder that does not exist (a mistake in the package's tables).

    >>> parse('a${n:1:8}b')
    ('a', Placeholder(name='n', args=('1', '8')), 'b')
    >>> parse('${person.arn}')
    (Placeholder(name='person.arn', args=()),)
    """
    parts: list[Part] = []
    at = 0
    for match in _PLACEHOLDER.finditer(text):
        if "." not in match[1] and match[1] not in MADE:
            raise ValueError(f"unknown placeholder {match[0]!r} in {text!r}")
        parts.append(text[at : match.start()])
        parts.append(Placeholder(match[1], tuple(match[2].split(":")[1:])))
        at = match.end()
    parts.append(text[at:])
    return tuple(part for part in parts if part != "")


def tables_of(template: Template) -> set[str]:
    """The tables that a text takes values from.

    >>> tables_of(parse("${person.arn} ${guid}"))
    {'person'}
    """
    names = (p.name for p in template if isinstance(p, Placeholder))
    return {name.split(".")[0] for name in names if "." in name}
