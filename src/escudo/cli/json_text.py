"""Values -> JSON text, whatever a file is called; all commands that print JSON call it."""

from __future__ import annotations

from typing import Any

import orjson


def dump_json(value: Any, *, indent: bool = False) -> str:
    r"""JSON without a line break at its end.

    A file's name may have bytes that are no UTF-8, which Python holds as lone surrogates; JSON
    cannot, so they are written as ``\udcff`` is.

    >>> dump_json({"file": "caf\udce9"})
    '{"file":"caf\\\\udce9"}'
    """
    option = orjson.OPT_INDENT_2 if indent else None
    try:
        return orjson.dumps(value, option=option).decode()
    except TypeError:
        return orjson.dumps(_as_text(value), option=option).decode()


def _as_text(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_as_text(k): _as_text(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_as_text(v) for v in value]
    return value
