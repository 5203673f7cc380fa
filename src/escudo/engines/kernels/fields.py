"""Texts -> the fields in them: every path of a document, key-value pairs; kernels.

A map holds text; several values of a key are joined by ``MV_SEPARATOR``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree

import pyarrow as pa

from escudo.core.schema import MV_SEPARATOR
from escudo.engines.kernels.documents import _INVALID, load, shown
from escudo.engines.kernels.kernel import BOOLEAN, INTEGER, TEXT, Kernel
from escudo.engines.kernels.patterns import VALUE_SECONDS, compile_pattern

MAP = pa.map_(pa.string(), pa.string())

Pairs = list[tuple[str, str]]

_XML_PAIR = re.compile(r"<([^\s/>!?]+)(?:\s[^<>]*)?>([^<]*)</\1\s*>")
_AUTO_PAIR = re.compile(
    r"""(?:^|[\s,;|&?\[({])([A-Za-z_][\w.\-:]*?)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;|&"\])}]+))"""
)
_UNCLEAN = re.compile(r"[^A-Za-z0-9_]+")


def document_fields(text: str) -> Pairs | None:
    """Every path of a JSON or XML document with its values, named as ``spath`` names them.

    >>> document_fields('{"a": {"b": 1}, "c": [2, 3], "d": [{"e": "x"}]}')
    [('a.b', '1'), ('c{}', '2\\x1e3'), ('d{}.e', 'x')]
    """
    document = load(text)
    values: dict[str, list[str]] = {}
    if document is _INVALID:
        for path, value in _xml_leaves(text):
            values.setdefault(path, []).append(value)
    elif isinstance(document, dict | list):
        for path, value in _leaves(document, ""):
            values.setdefault(path, []).append(value)
    return _joined(values)


def _joined(values_of: dict[str, list[str]]) -> Pairs | None:
    return [(k, MV_SEPARATOR.join(values)) for k, values in values_of.items()] or None


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, f"{path}{{}}")
    elif (text := shown(value)) is not None:
        yield path, text


def _xml_leaves(text: str) -> Iterator[tuple[str, str]]:
    if not text.lstrip().startswith("<") or "<!ENTITY" in text:
        return
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        return
    yield from _element_leaves(root, "")


def _element_leaves(element: ElementTree.Element, above: str) -> Iterator[tuple[str, str]]:
    name = element.tag.rsplit("}", 1)[-1]
    path = f"{above}.{name}" if above else name
    for key, value in element.attrib.items():
        yield f"{path}{{@{key.rsplit('}', 1)[-1]}}}", value
    if (text := (element.text or "").strip()) and not len(element):
        yield path, text
    for child in element:
        yield from _element_leaves(child, path)


def object_members(text: str) -> Pairs | None:
    """The members of a JSON object; an array gives several values, an object stays JSON.

    >>> object_members('{"a": 1, "b": ["x", "y"], "c": {"d": 2}}')
    [('a', '1'), ('b', 'x\\x1ey'), ('c', '{"d":2}')]
    """
    document = load(text)
    if not isinstance(document, dict):
        return None
    members: dict[str, list[str]] = {}
    for key, value in document.items():
        items = value if isinstance(value, list) else [value]
        texts = [t for item in items if (t := shown(item)) is not None]
        if texts:
            members[key] = texts
    return _joined(members)


def xml_pairs(text: str) -> Pairs | None:
    """``<tag>value</tag>`` as pairs (Search Reference, xmlkv).

    >>> xml_pairs("<a><User>x</User><Id n='1'>2</Id></a>")
    [('User', 'x'), ('Id', '2')]
    """
    values: dict[str, list[str]] = {}
    for m in _XML_PAIR.finditer(text):
        values.setdefault(m[1], []).append(m[2])
    return _joined(values)


def pairs(
    text: str, pair_chars: str, key_chars: str, clean: bool, limit: int, many: bool
) -> Pairs | None:
    """Key-value pairs (Search Reference, extract); without delimiters as ``key=value``.

    >>> pairs('user=ann msg="a b"', "", "", True, 50, False)
    [('user', 'ann'), ('msg', 'a b')]
    >>> pairs("k-1|v;k2|w", ";", "|", True, 50, False)
    [('k_1', 'v'), ('k2', 'w')]
    """
    values: dict[str, list[str]] = {}
    for key, value in _raw_pairs(text, pair_chars, key_chars):
        name = _UNCLEAN.sub("_", key).strip("_") if clean else key
        if not name or (name not in values and limit and len(values) >= limit):
            continue
        if name not in values or many:
            values.setdefault(name, []).append(value)
    return _joined(values)


def pattern_pairs(text: str, pattern: str, groups: str, options: str) -> Pairs | None:
    """Names and values out of all matches of a pattern; ``groups`` says which: ``1:2,3:4``.

    ``options`` may name ``clean`` (keys) and ``several`` (values of a key).

    >>> pattern_pairs("<a-b>1</><c>2</><c>3</>", "<([^>]+)>([^<]*)", "1:2", "clean several")
    [('a_b', '1'), ('c', '2\\x1e3')]
    """
    expression = compile_pattern(pattern)
    clean, many = "clean" in options, "several" in options
    numbers = [tuple(map(int, pair.split(":"))) for pair in groups.split(",")]
    values: dict[str, list[str]] = {}
    for m in (
        expression.finditer(text, timeout=VALUE_SECONDS, concurrent=True)
        if expression is not None
        else ()
    ):
        for key, value in numbers:
            name = _UNCLEAN.sub("_", m[key] or "").strip("_") if clean else m[key]
            if name and m[value] and (name not in values or many):
                values.setdefault(name, []).append(m[value])
    return _joined(values)


def _raw_pairs(text: str, pair_chars: str, key_chars: str) -> Iterator[tuple[str, str]]:
    if not key_chars and not pair_chars:
        for m in _AUTO_PAIR.finditer(text):
            yield m[1], m[2] if m[2] is not None else m[3]
        return
    for part in _split(text, pair_chars or " ,;|&\n\t"):
        key, value = _cut(part, key_chars or "=")
        if value is not None:
            yield key.strip().strip('"'), value.strip().strip('"')


@lru_cache(maxsize=128)
def _quoted_split(chars: str) -> re.Pattern[str]:
    return re.compile(rf'(?:"(?:[^"\\]|\\.)*"|[^{re.escape(chars)}"]|")+')


def _split(text: str, chars: str) -> list[str]:
    """The parts between delimiter characters; those in double quotes do not count."""
    return _quoted_split(chars).findall(text)


def _cut(part: str, chars: str) -> tuple[str, str | None]:
    for i, char in enumerate(part):
        if char in chars:
            return part[:i], part[i + 1 :]
    return part, None


FIELDS = (
    Kernel("spl_document_fields", (TEXT,), MAP, document_fields),
    Kernel("spl_object_members", (TEXT,), MAP, object_members),
    Kernel("spl_xml_pairs", (TEXT,), MAP, xml_pairs),
    Kernel("spl_pattern_pairs", (TEXT, TEXT, TEXT, TEXT), MAP, pattern_pairs),
    Kernel("spl_pairs", (TEXT, TEXT, TEXT, BOOLEAN, INTEGER, BOOLEAN), MAP, pairs),
)
