"""JSON: an object a line, objects one after the other, or an array of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from escudo.sources.assemble import Events
from escudo.sources.formats.json_forms import canonical
from escudo.sources.formats.rejected import EXCERPT_BYTES, Rejected
from escudo.sources.formats.rows import from_rows
from escudo.sources.formats.text import DamagedError, blocks, cut_after
from escudo.sources.formats.xml_element import Field
from escudo.sources.opening import LogStream


def read(stream: LogStream) -> Iterator[Events | Rejected]:
    """The events of a stream of JSON lines, and the lines that are none."""
    line = 1
    with stream.open() as opened:
        try:
            for block in cut_after(blocks(opened), b"\n"):
                yield from _lines(stream.name, block, line)
                line += block.count(b"\n")
        except DamagedError as error:
            yield Rejected(stream.name, f"line {line}", "SRC006", str(error), b"")


def _lines(name: str, block: bytes, first: int) -> Iterator[Events | Rejected]:
    rows: list[Mapping[str, Field]] = []
    raws: list[str] = []
    for number, line in enumerate(block.split(b"\n"), first):
        text = line.strip()
        if not text or text in (b"[", b"]"):
            continue
        try:
            value = _load(text)
        except orjson.JSONDecodeError as error:
            yield Rejected(name, f"line {number}", "SRC030", str(error), text[:EXCERPT_BYTES])
            continue
        found = value if isinstance(value, list) else [value]
        for event in found:
            if not isinstance(event, dict):
                yield Rejected(
                    name, f"line {number}", "SRC031", "not an object", text[:EXCERPT_BYTES]
                )
                continue
            rows.append(canonical(event))
            raws.append(
                text.rstrip(b",").decode("utf-8", "replace")
                if len(found) == 1
                else orjson.dumps(event).decode()
            )
    if rows:
        yield from_rows(rows, raws)


def _load(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        if text.endswith(b","):
            return orjson.loads(text[:-1].removeprefix(b"["))
        if text.startswith(b"[") or text.endswith(b"]"):
            return orjson.loads(text.removeprefix(b"[").removesuffix(b"]"))
        raise
