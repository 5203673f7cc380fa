"""Events of every source between bad input: none is lost or changed, and what is bad is told.

Bad input is what logs have where a disk, a sender or a rotation failed: halves of events, bytes of
other encodings, NUL bytes, lines of megabytes, objects a thousand levels deep.
"""

from __future__ import annotations

import io
import json
import os
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escudo.actions.source_samples import Sample, read_samples
from escudo.core.schema import RAW_REST
from escudo.sources import Family
from escudo.sources.format_detection import HEAD_BYTES
from escudo.sources.notes import Note
from escudo.sources.opening import LogStream, open_logs
from escudo.sources.reading import RawBatch, Rejected, read
from tests.families import FAMILIES
from tests.yaml_file import read_yaml

TESTS = Path(__file__).parents[1]
SAMPLES = [
    sample
    for file in sorted((TESTS / "sources" / "samples").glob("*.yml"))
    for sample in read_samples(read_yaml(file), file.stem, str(file))
    if not sample.rejected
]
MANY = int(os.environ.get("ESCUDO_FUZZ_EXAMPLES", "0"))
few = settings(max_examples=max(MANY // 100, 3), deadline=None)
"""Of each source: all of them together are as many as a test of one thing has."""
_OF_THE_READING = {"_event_id", "source_file", "_time", "_indextime"}

_MARKS = (BOM_UTF16_BE, BOM_UTF16_LE)
_BLANK = b" \t\x0b\x0c\x1c\x1d\x1e\x1f\x85"
HUGE = (b"x" * 3_000_000, b"x y=" * 500_000, b'{"a": "' + b"z" * 2_000_000)
DEEP = (b'{"a":' * 3_000 + b"1" + b"}" * 3_000, b"[" * 20_000, b'{"a":[' * 2_000)
ENCODED = (
    "naïve Ω".encode("utf-16"),
    "naïve".encode("latin-1"),
    b"\xff\xfe\xfa",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
)


@st.composite
def bad_lines(draw: st.DrawFn, good: bytes) -> bytes:
    """One line of bad input, made of nothing or of a good text. It is no header of a table."""
    kind = draw(st.sampled_from(["bytes", "cut", "zeros", "huge", "deep", "encoded", "mixed"]))
    if kind == "bytes":
        line = draw(st.binary(max_size=40))
    elif kind in ("cut", "mixed"):
        at = draw(st.integers(0, max(len(good) - 1, 0)))
        line = good[:at] if draw(st.booleans()) else good[at:]
        if kind == "mixed":
            line = line[: len(line) // 2] + draw(st.binary(max_size=8)) + line[len(line) // 2 :]
    elif kind == "zeros":
        line = b"\0" * draw(st.integers(1, 2_000))
    else:
        line = draw(st.sampled_from({"huge": HUGE, "deep": DEEP, "encoded": ENCODED}[kind]))
    line = line.replace(b"\n", b" ").replace(b"\r", b" ")
    return b"x" + line if line.lstrip().startswith((b"#", b"ID,")) else line


def take(data: bytes, family: Family | None) -> tuple[list[dict[str, Any]], int]:
    """The events of a log, and how much was told of what is none."""
    rows: list[dict[str, Any]] = []
    told: list[Note | Rejected | object] = []
    judge = FAMILIES.judge_with(family)
    for stream in open_logs(["-"], stdin=io.BytesIO(data), judge=judge):
        if not isinstance(stream, LogStream):
            told.append(stream)
            continue
        for item in read(stream, FAMILIES, given=family, note=told.append):
            if isinstance(item, RawBatch):
                item.table.validate(full=True)
                rows += [{**r, "family": item.family.name} for r in item.table.to_pylist()]
            else:
                told.append(item)
    return rows, len(told)


def plain(row: dict[str, Any]) -> str:
    """What an event is by itself, whenever and from wherever it is read."""
    kept = {k: v for k, v in row.items() if k not in _OF_THE_READING and v is not None}
    kept[RAW_REST] = sorted(kept.get(RAW_REST) or ())
    return json.dumps(kept, default=str, sort_keys=True)


def _samples() -> Iterator[Any]:
    for number, sample in enumerate(SAMPLES):
        yield pytest.param(sample, id=f"{number}-{sample.source}", marks=pytest.mark.slow)


@pytest.mark.parametrize("sample", _samples())
@few
@given(st.data())
def test_text(sample: Sample, data: st.DataObject) -> None:
    family = FAMILIES[sample.source]
    good = sample.text.rstrip("\n").encode() + b"\n"
    bad = data.draw(bad_lines(good.splitlines()[-1]))
    alone = Counter(plain(row) for row in take(good, family)[0])
    rows, told = take(good + bad + b"\n" + good, family)
    found = Counter(plain(row) for row in rows)
    # Bad input may belong to the event before it, as a further line: that one has its text still.
    lost = Counter({event: 2 * n for event, n in alone.items()}) - found
    joined = [row["_raw"] for row in rows]
    for event in lost.elements():
        raw = json.loads(event)["_raw"]
        assert any(raw in text and raw != text for text in joined), (raw, bad[:200])
    assert lost.total() <= 1, bad[:200]
    if bad.strip(_BLANK):
        assert sum(found.values()) > 2 * alone.total() or lost or told, bad[:200]


@cache
def _json_lines() -> dict[str, list[bytes]]:
    """Source -> its events in the logs of JSON sources, a line each."""
    found: dict[str, list[bytes]] = {}
    for folder in ("json-of-clouds", "json-of-networks", "json-of-tools"):
        for file in sorted((TESTS / "cases" / "logs" / folder / "input").iterdir()):
            for line in file.read_bytes().splitlines():
                for row in take(line + b"\n", None)[0]:
                    found.setdefault(row["family"], []).append(line)
    return found


@pytest.mark.slow
@settings(max_examples=max(MANY // 4, 25), deadline=None)
@given(st.data())
def test_json(data: st.DataObject) -> None:
    lines = _json_lines()
    source = data.draw(st.sampled_from(sorted(lines)))
    good = data.draw(st.lists(st.sampled_from(lines[source]), min_size=1, max_size=3))
    bad = data.draw(st.lists(bad_lines(good[0]), min_size=1, max_size=2))
    # A format is found in the first bytes: behind more than those of something else it is none.
    short = sum(map(len, bad)) < HEAD_BYTES // 2 and not bad[0].startswith(_MARKS)
    where = data.draw(st.sampled_from([*(["before"] if short else []), "between", "behind"]))
    alone = Counter(plain(row) for line in good for row in take(line + b"\n", None)[0])
    parts = {
        "before": [*bad, *good],
        "between": [good[0], *bad, *good[1:]],
        "behind": [*good, *bad],
    }[where]
    rows, told = take(b"\n".join(parts) + b"\n", None)
    found = Counter(plain(row) for row in rows)
    assert not alone - found, (source, where, [b[:200] for b in bad])
    if any(b.removeprefix(BOM_UTF8).strip(_BLANK + b"[],") for b in bad):
        assert sum(found.values()) > alone.total() or told, [b[:200] for b in bad]
