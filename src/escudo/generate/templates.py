"""A text with placeholders (``"${image}" /n ${n:1:9}``) -> its parts; ``catalog`` calls it.

Placeholders: ``image pid ppid host user home sid server dc target lsass guid`` and, with
arguments, ``n:LOW:HIGH`` (a number), ``hex:K`` / ``HEX:K`` (K hex digits), ``pool:NAME`` (a text
of a pool). ``${b64:TEXT}`` is replaced when the template is read: TEXT in UTF-16LE and base64, as
``powershell -EncodedCommand`` takes it.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

_PLACEHOLDER = re.compile(r"\$\{(\w+)(?::([^}]*))?\}")
_PLAIN = frozenset(
    "image pid ppid host user home sid server dc target lsass guid".split()  # noqa: SIM905
)
_WITH_ARGUMENT = frozenset(("n", "hex", "HEX", "pool"))


@dataclass(frozen=True, slots=True)
class Placeholder:
    """``${name:argument:argument}``."""

    name: str
    args: tuple[str, ...] = ()


Part = str | Placeholder
Template = tuple[Part, ...]


def parse_template(text: str) -> Template:
    """Split a template into literal text and placeholders.

    Raises ValueError for a placeholder that does not exist (a mistake in the package's tables).

    >>> parse_template('-w ${n:1:8} ${home}')
    ('-w ', Placeholder(name='n', args=('1', '8')), ' ', Placeholder(name='home', args=()))
    >>> parse_template('-enc ${b64:dir}')
    ('-enc ZABpAHIA',)
    """
    parts: list[Part] = []
    at = 0
    for match in _PLACEHOLDER.finditer(text):
        name, argument = match[1], match[2]
        literal = text[at : match.start()]
        at = match.end()
        if name == "b64" and argument is not None:
            encoded = base64.b64encode(argument.encode("utf-16-le")).decode("ascii")
            _append_text(parts, literal + encoded)
            continue
        known = name in _PLAIN if argument is None else name in _WITH_ARGUMENT
        if not known:
            raise ValueError(f"unknown placeholder {match[0]!r} in {text!r}")
        _append_text(parts, literal)
        parts.append(Placeholder(name, tuple(argument.split(":")) if argument else ()))
    _append_text(parts, text[at:])
    return tuple(parts)


def _append_text(parts: list[Part], text: str) -> None:
    if not text:
        return
    if parts and isinstance(parts[-1], str):
        parts[-1] += text
    else:
        parts.append(text)
