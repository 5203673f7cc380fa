"""JSON and XML texts -> their values (Search Reference, JSONFunctions; spath); kernels.

Documents are text. A path is Splunk's: ``a.b{0}.c``, with ``{}`` for every element of an array.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from escudo.engines.kernels.kernel import BOOLEAN, LIST, TEXT, Kernel
from escudo.engines.kernels.xmlpath import xml_values
from escudo.spl import is_numeric_text

_STEP = re.compile(r"([^.{}]+)|\{(-?\d*)\}|\.")
_INVALID = object()


def load(text: str) -> Any:
    """The document, or ``_INVALID``."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return _INVALID


def dump(value: Any) -> str:
    return orjson.dumps(value).decode()


def steps(path: str) -> list[str | int | None]:
    """A path as keys, indices, and None for every element.

    >>> steps("a.b{0}.c{}")
    ['a', 'b', 0, 'c', None]
    """
    out: list[str | int | None] = []
    for m in _STEP.finditer(path):
        if m[1] is not None:
            out.append(m[1])
        elif m[2] is not None:
            out.append(int(m[2]) if m[2] else None)
    return out


def walk(value: Any, path: list[str | int | None]) -> Iterator[Any]:
    """What a path leads to."""
    if not path:
        yield value
        return
    head, rest = path[0], path[1:]
    if isinstance(head, str) and isinstance(value, dict):
        if head in value:
            yield from walk(value[head], rest)
    elif isinstance(value, list):
        if head is None:
            for item in value:
                yield from walk(item, rest)
        elif isinstance(head, int) and -len(value) <= head < len(value):
            yield from walk(value[head], rest)


def shown(value: Any) -> str | None:
    """A value taken out of a document, as SPL text: text bare, containers as JSON."""
    match value:
        case None:
            return None
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case _:
            return dump(value)


def spath(text: str, path: str) -> list[str] | None:
    """The values at a path of a JSON or XML document.

    >>> spath('{"a": [{"b": 1}, {"b": "x"}]}', "a{}.b")
    ['1', 'x']
    """
    document = load(text)
    if document is _INVALID:
        return xml_values(text, path) or None
    texts = (shown(v) for v in walk(document, steps(path)))
    return [v for v in texts if v is not None] or None


def valid(text: str) -> bool:
    return load(text) is not _INVALID


def json_or_null(text: str) -> str | None:
    return text if valid(text) else None


def _of_kind(kind: type) -> Callable[[str], str | None]:
    return lambda text: text if isinstance(load(text), kind) else None


def _is_kind(kind: type) -> Callable[[str], bool]:
    return lambda text: isinstance(load(text), kind)


def quote(text: str) -> str:
    return dump(text)


def array_of_texts(values: list[str]) -> str:
    return dump(values)


def listed(values: list[str]) -> str:
    """A JSON array of values that are JSON already."""
    return f"[{','.join(values)}]"


def made_object(keys: list[str], values: list[str]) -> str:
    """A JSON object of keys and values that are JSON already.

    >>> made_object(["a", "b"], ["1", '"x"'])
    '{"a":1,"b":"x"}'
    """
    pairs = (f"{dump(k)}:{v}" for k, v in zip(keys, values, strict=True))
    return "{" + ",".join(pairs) + "}"


def extract(text: str, paths: list[str]) -> str | None:
    """The value at one path, or an array of those at several; without paths the document.

    >>> extract('{"a": {"b": "x"}, "c": 2}', ["a.b"]), extract('{"a": 1}', ["a", "z"])
    ('x', '[1,null]')
    """
    return _extracted(text, paths, lambda document, path: list(walk(document, steps(path))))


def extract_exact(text: str, keys: list[str]) -> str | None:
    """As ``extract``, but a path is one key, dots and braces included."""

    def look(document: Any, key: str) -> list[Any]:
        return [document[key]] if isinstance(document, dict) and key in document else []

    return _extracted(text, keys, look)


def _extracted(text: str, paths: list[str], look: Callable[[Any, str], list[Any]]) -> str | None:
    document = load(text)
    if document is _INVALID:
        return None
    if not paths:
        return dump(document)
    values = [_one_or_many(look(document, p), p) for p in paths]
    return shown(values[0]) if len(values) == 1 else dump(values)


def _one_or_many(values: list[Any], path: str) -> Any:
    if "{}" in path:
        return values or None
    return values[0] if values else None


def keys(text: str) -> str | None:
    """The keys of an object, or the indices of an array, as a JSON array."""
    document = load(text)
    if isinstance(document, dict):
        return dump(list(document))
    return dump(list(range(len(document)))) if isinstance(document, list) else None


def entries(text: str) -> str | None:
    """An object as an array of ``{"key": ..., "value": ...}``."""
    document = load(text)
    if isinstance(document, dict):
        return dump([{"key": k, "value": v} for k, v in document.items()])
    if isinstance(document, list):
        return dump([{"key": i, "value": v} for i, v in enumerate(document)])
    return None


def has_key(text: str, key: str) -> bool:
    document = load(text)
    return isinstance(document, dict) and key in document


def _changed(
    text: str, paths: list[str], values: list[str], change: Callable[[Any, Any, Any], None]
) -> str | None:
    """The document after a change of (container, key, value) at each path."""
    document = load(text)
    if document is _INVALID:
        return None
    for path, value in zip(paths, values, strict=True):
        *parents, last = steps(path) or [path]
        for container in _containers(document, parents):
            change(container, last, load(value))
    return dump(document)


def _containers(document: Any, parents: list[str | int | None]) -> Iterator[Any]:
    """The containers that a path's last step applies to; missing objects are made."""
    if not parents:
        yield document
        return
    head, rest = parents[0], parents[1:]
    if isinstance(head, str) and isinstance(document, dict):
        yield from _containers(document.setdefault(head, {}), rest)
    elif isinstance(document, list):
        chosen = (
            document if head is None else document[head : head + 1] if isinstance(head, int) else []
        )
        for item in chosen:
            yield from _containers(item, rest)


def _put(container: Any, key: Any, value: Any) -> None:
    if isinstance(container, dict) and isinstance(key, str):
        container[key] = value
    elif isinstance(container, list) and key is None:
        container[:] = [value] * len(container)
    elif (
        isinstance(container, list)
        and isinstance(key, int)
        and -len(container) <= key < len(container)
    ):
        container[key] = value


def _append(container: Any, key: Any, value: Any) -> None:
    target = _target(container, key)
    if isinstance(target, list):
        target.append(value)
    elif target is not _INVALID:
        _put(container, key, [target, value])
    else:
        _put(container, key, [value])


def _extend(container: Any, key: Any, value: Any) -> None:
    target = _target(container, key)
    added = value if isinstance(value, list) else [value]
    if isinstance(target, list):
        target.extend(added)
    elif target is not _INVALID:
        _put(container, key, [target, *added])
    else:
        _put(container, key, list(added))


def _target(container: Any, key: Any) -> Any:
    if isinstance(container, dict):
        return container.get(key, _INVALID)
    if (
        isinstance(container, list)
        and isinstance(key, int)
        and -len(container) <= key < len(container)
    ):
        return container[key]
    return _INVALID


def put(text: str, paths: list[str], values: list[str]) -> str | None:
    """Values put at paths.

    >>> put('{"a": {"b": 1}}', ["a.b", "c"], ["2", '"x"'])
    '{"a":{"b":2},"c":"x"}'
    """
    return _changed(text, paths, values, _put)


def put_exact(text: str, keys: list[str], values: list[str]) -> str | None:
    document = load(text)
    if not isinstance(document, dict):
        return None
    document.update(zip(keys, map(load, values), strict=True))
    return dump(document)


def append(text: str, paths: list[str], values: list[str]) -> str | None:
    """A value appended to the array at each path."""
    return _changed(text, paths, values, _append)


def extend(text: str, paths: list[str], values: list[str]) -> str | None:
    """As ``append``; an array's elements are appended one by one."""
    return _changed(text, paths, values, _extend)


def delete(text: str, paths: list[str]) -> str | None:
    """The document without what is at the paths."""
    document = load(text)
    if document is _INVALID:
        return None
    for path in paths:
        *parents, last = steps(path) or [path]
        for container in list(walk(document, parents)):
            if isinstance(container, dict):
                container.pop(last, None)
            elif (
                isinstance(container, list)
                and isinstance(last, int)
                and -len(container) <= last < len(container)
            ):
                del container[last]
            elif isinstance(container, list) and last is None:
                container.clear()
    return dump(document)


def to_mv(text: str, quoted: bool) -> list[str] | None:
    """The elements of a JSON array as a multivalue; ``quoted`` keeps text in its quotes."""
    document = load(text)
    if not isinstance(document, list):
        return None
    texts = (dump(v) if quoted else shown(v) for v in document)
    return [v for v in texts if v is not None] or None


def from_mv(values: list[str], infer: bool) -> str:
    """A multivalue as a JSON array; ``infer`` keeps what is JSON as it is.

    >>> from_mv(["1", "a", "true"], True), from_mv(["1", "a"], False)
    ('[1,"a",true]', '["1","a"]')
    """

    def element(value: str) -> Any:
        inferable = infer and (is_numeric_text(value) or value in ("true", "false", "null"))
        parsed = load(value) if inferable or (infer and value[:1] in '[{"') else _INVALID
        return value if parsed is _INVALID else parsed

    return dump([element(v) for v in values])


def as_mv(text: str) -> list[str] | None:
    """``tomv``: the elements of a JSON array, or the value itself."""
    document = load(text)
    if isinstance(document, list):
        return to_mv(text, False)
    one = shown(document) if document is not _INVALID else text
    return None if one is None else [one]


DOCUMENTS = (
    Kernel("spl_spath", (TEXT, TEXT), LIST, spath),
    Kernel("spl_json", (TEXT,), TEXT, json_or_null),
    Kernel("spl_json_valid", (TEXT,), BOOLEAN, valid),
    Kernel("spl_json_array_or_null", (TEXT,), TEXT, _of_kind(list)),
    Kernel("spl_json_object_or_null", (TEXT,), TEXT, _of_kind(dict)),
    Kernel("spl_is_json_array", (TEXT,), BOOLEAN, _is_kind(list)),
    Kernel("spl_is_json_object", (TEXT,), BOOLEAN, _is_kind(dict)),
    Kernel("spl_json_quote", (TEXT,), TEXT, quote),
    Kernel("spl_json_array", (LIST,), TEXT, array_of_texts),
    Kernel("spl_json_list", (LIST,), TEXT, listed),
    Kernel("spl_json_object", (LIST, LIST), TEXT, made_object),
    Kernel("spl_json_extract", (TEXT, LIST), TEXT, extract),
    Kernel("spl_json_extract_exact", (TEXT, LIST), TEXT, extract_exact),
    Kernel("spl_json_keys", (TEXT,), TEXT, keys),
    Kernel("spl_json_entries", (TEXT,), TEXT, entries),
    Kernel("spl_json_has_key_exact", (TEXT, TEXT), BOOLEAN, has_key),
    Kernel("spl_json_set", (TEXT, LIST, LIST), TEXT, put),
    Kernel("spl_json_set_exact", (TEXT, LIST, LIST), TEXT, put_exact),
    Kernel("spl_json_append", (TEXT, LIST, LIST), TEXT, append),
    Kernel("spl_json_extend", (TEXT, LIST, LIST), TEXT, extend),
    Kernel("spl_json_delete", (TEXT, LIST), TEXT, delete),
    Kernel("spl_json_to_mv", (TEXT, BOOLEAN), LIST, to_mv),
    Kernel("spl_mv_to_json", (LIST, BOOLEAN), TEXT, from_mv),
    Kernel("spl_json_array_to_mv", (TEXT,), LIST, as_mv),
)
