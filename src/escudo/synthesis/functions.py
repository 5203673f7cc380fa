"""Functions of ``eval`` over Python values: the evaluator of expressions calls them.

Only what detections use to tell one event from another; a function that is not here makes its
expression unknown (``UnknownValueError``), never false.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import orjson
import regex

from escudo.core.errors import EscudoError
from escudo.spl import adapt_to_python, relative_time, translate
from escudo.synthesis.values import (
    Value,
    is_in_network,
    items_of,
    like_regex,
    number_of,
    text_of,
    texts_of,
)


class UnknownValueError(Exception):
    """What an expression gives cannot be told here."""


@lru_cache(maxsize=4096)
def compile_pattern(pattern: str) -> regex.Pattern[str]:
    """A PCRE of SPL as Python matches it.

    Raises:
        UnknownValueError: it is no regular expression that Python reads.
    """
    try:
        return regex.compile(adapt_to_python(translate(pattern).text), regex.ASCII)
    except (EscudoError, regex.error) as error:
        raise UnknownValueError(str(error)) from error


def match_pattern(value: Value, pattern: Value) -> bool | None:
    """``match(value, pattern)``: the pattern anywhere in the value, in one of several values."""
    if value is None or pattern is None:
        return None
    compiled = compile_pattern(str(text_of(pattern)))
    return any(compiled.search(text) is not None for text in texts_of(value))


def _replace(value: Value, pattern: Value, replacement: Value) -> Value:
    if value is None or pattern is None or replacement is None:
        return None
    if "$" in str(pattern) and any("\n" in text for text in texts_of(value)):
        raise UnknownValueError("replace() of lines")
    compiled = compile_pattern(str(text_of(pattern)))
    template = re.sub(r"\\(\d)", r"\\g<\1>", str(text_of(replacement)).replace("\\\\", "\x00"))
    template = re.sub(r"\\(?!g<)", r"\\\\", template).replace("\x00", "\\\\")
    replaced = [compiled.sub(template, text) for text in texts_of(value)]
    return replaced if isinstance(value, list) else replaced[0]


def _like(value: Value, pattern: Value) -> bool | None:
    if value is None or pattern is None:
        return None
    compiled = like_regex(str(text_of(pattern)))
    return any(compiled.fullmatch(text) is not None for text in texts_of(value))


def _null_if(value: Value, other: Value) -> Value:
    return None if value is not None and text_of(value) == text_of(other) else value


def _on_text(make: Callable[[str], Value]) -> Callable[..., Value]:
    def apply(value: Value) -> Value:
        if value is None:
            return None
        if isinstance(value, list):
            return [str(text_of(make(text))) for text in value]
        return make(str(text_of(value)))

    return apply


def _trimmed(strip: Callable[[str, str | None], str]) -> Callable[..., Value]:
    def apply(value: Value, characters: Value = None) -> Value:
        text = text_of(value)
        return None if text is None else strip(text, text_of(characters) or " \t")

    return apply


def _split(value: Value, separator: Value) -> Value:
    text, mark = text_of(value), text_of(separator)
    if text is None or mark is None:
        return None
    return text.split(mark) if mark else list(text)


def _items(value: Value) -> Value:
    """The values of a field that may have several in an event."""
    items = items_of(value) if isinstance(value, str) else []
    return items if len(items) > 1 else value


def _read_json(value: Value, path: Value) -> Value:
    text, where = text_of(value), text_of(path)
    return None if text is None or where is None else find_in_json(text, where)


def find_in_json(text: str, path: str) -> str | list[str] | None:
    """What ``spath`` finds at a path of a document: a text, or one for each item of lists.

    >>> find_in_json('{"a": [{"b": 1}, {"b": true}]}', "a{}.b")
    ['1', 'true']

    Raises:
        UnknownValueError: the document is XML.
    """
    if text.lstrip().startswith("<") or "@" in path:
        raise UnknownValueError("spath of XML")
    try:
        found = [orjson.loads(text)]
    except orjson.JSONDecodeError:
        return None
    for part in path.split("."):
        name, _, index = part.partition("{")
        if name:
            found = [node[name] for node in found if isinstance(node, dict) and name in node]
        if name != part:
            lists = [node for node in found if isinstance(node, list)]
            found = [item for items in lists for item in _pick_items(items, index.rstrip("}"))]
    texts = [_write_json(node) for node in found if node is not None]
    return texts if len(texts) > 1 else texts[0] if texts else None


def _pick_items(items: list[Any], index: str) -> list[Any]:
    return items[int(index) : int(index) + 1] if index.isdecimal() else items


def _write_json(node: Any) -> str:
    return node if isinstance(node, str) else orjson.dumps(node).decode()


def _mv_index(value: Value, start: Value, end: Value = None) -> Value:
    items, first = texts_of(value), number_of(start)
    if first is None or not items:
        return None
    begin = int(first) + (len(items) if first < 0 else 0)
    if end is None:
        return items[begin] if 0 <= begin < len(items) else None
    last = number_of(end) or 0
    stop = int(last) + (len(items) if last < 0 else 0)
    chosen = items[max(begin, 0) : stop + 1]
    return chosen or None


def _mv_count(value: Value) -> Value:
    return None if value is None else len(texts_of(value))


def _mv_join(value: Value, separator: Value) -> Value:
    mark = text_of(separator)
    return None if value is None or mark is None else mark.join(texts_of(value))


def _mv_dedup(value: Value) -> Value:
    return list(dict.fromkeys(texts_of(value))) if isinstance(value, list) else value


def _mv_append(*values: Value) -> Value:
    items = [text for value in values for text in texts_of(value)]
    return (items if len(items) > 1 else items[0]) if items else None


def _mv_find(value: Value, pattern: Value) -> Value:
    compiled = compile_pattern(str(text_of(pattern)))
    return next((i for i, t in enumerate(texts_of(value)) if compiled.search(t)), None)


def _mv_zip(first: Value, second: Value, separator: Value = ",") -> Value:
    if separator is None:
        return None
    pairs = zip(texts_of(first), texts_of(second), strict=False)
    return [f"{a}{text_of(separator)}{b}" for a, b in pairs] or None


def _substr(value: Value, start: Value, length: Value = None) -> Value:
    text, first = text_of(value), number_of(start)
    if text is None or first is None:
        return None
    begin = int(first) - 1 if first > 0 else len(text) + int(first) if first < 0 else 0
    size = number_of(length)
    return text[max(begin, 0) :] if size is None else text[max(begin, 0) : begin + int(size)]


def _length(value: Value) -> Value:
    text = text_of(value)
    return None if text is None else len(text)


def _to_number(value: Value, base: Value = 10) -> Value:
    text, radix = text_of(value), number_of(base)
    if text is None:
        return None
    if radix == 10:
        return number_of(text)
    if "_" in text:
        return None
    try:
        return int(text, int(radix or 10))
    except ValueError:
        return None


def _to_string(value: Value, kind: Value = None) -> Value:
    if kind is not None or isinstance(value, bool):
        raise UnknownValueError("tostring() with a format, or of a condition")
    return text_of(value)


def _cidr(network: Value, address: Value) -> bool | None:
    if network is None or address is None:
        return None
    return any(is_in_network(text, str(text_of(network))) for text in texts_of(address))


def _numeric(make: Callable[[float], float]) -> Callable[..., Value]:
    def apply(value: Value) -> Value:
        number = number_of(value)
        try:
            return None if number is None else make(number)
        except (ValueError, OverflowError):
            return None

    return apply


def _round(value: Value, places: Value = 0) -> Value:
    """Halves go away from zero."""
    number = number_of(value)
    if number is None:
        return None
    scale = 10.0 ** int(number_of(places) or 0)
    return math.copysign(math.floor(abs(number) * scale + 0.5) / scale, number)


def _extreme(choose: Callable[..., float]) -> Callable[..., Value]:
    def apply(*values: Value) -> Value:
        numbers = [number_of(v) for v in values]
        known = [n for n in numbers if n is not None]
        if len(known) < len(values):
            raise UnknownValueError("min() or max() of texts")
        return choose(known)

    return apply


def _relative(time: Value, modifier: Value) -> Value:
    number = number_of(time)
    try:
        return None if number is None else relative_time(str(text_of(modifier)), number)
    except EscudoError:
        return None


def find_entropy(text: str) -> float:
    """The entropy of the characters of a text, in bits a character (``ut_shannon``).

    >>> find_entropy("aabb")
    1.0
    """
    shares = [text.count(c) / len(text) for c in set(text)]
    return -sum(p * math.log2(p) for p in shares)


def _entropy(value: Value) -> Value:
    text = text_of(value)
    return None if not text else find_entropy(text)


FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    "ut_shannon": _entropy,
    "match": match_pattern,
    "like": _like,
    "replace": _replace,
    "nullif": _null_if,
    "lower": _on_text(str.lower),
    "upper": _on_text(str.upper),
    "urldecode": _on_text(unquote),
    "trim": _trimmed(str.strip),
    "ltrim": _trimmed(str.lstrip),
    "rtrim": _trimmed(str.rstrip),
    "split": _split,
    "items": _items,
    "spath": _read_json,
    "mvindex": _mv_index,
    "mvcount": _mv_count,
    "mvjoin": _mv_join,
    "mvdedup": _mv_dedup,
    "mvappend": _mv_append,
    "mvfind": _mv_find,
    "mvzip": _mv_zip,
    "mvsort": lambda value: sorted(texts_of(value)) or None,
    "substr": _substr,
    "len": _length,
    "tonumber": _to_number,
    "tostring": _to_string,
    "cidrmatch": _cidr,
    "isnull": lambda value: value is None,
    "isnotnull": lambda value: value is not None,
    "null": lambda: None,
    "true": lambda: True,
    "false": lambda: False,
    "round": _round,
    "abs": _numeric(abs),
    "floor": _numeric(math.floor),
    "ceiling": _numeric(math.ceil),
    "sqrt": _numeric(math.sqrt),
    "ln": _numeric(math.log),
    "exp": _numeric(math.exp),
    "min": _extreme(min),
    "max": _extreme(max),
    "relative_time": _relative,
}
"""Functions that take the values of their arguments; null gives null unless they say otherwise."""
