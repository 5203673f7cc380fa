"""Blocks of lines: whatever the pieces, the same text comes out, and every line once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escudo.sources.formats import json_blocks, text
from escudo.sources.formats.json_blocks import Lines, cut_blocks
from escudo.sources.formats.json_columns import JsonLines
from escudo.sources.formats.text import DamagedError
from tests.sources.support import read_bytes

OBJECTS = [b'{"a":"b"}', '{"é":"ü","x":"y"}'.encode(), b"{}"]
ODD = [b"", b" ", b"{}\r", b' {"a":1}', b"x", b'{"a":\xff}', b"[{}]", b'{"a":']


def text_of(block: Lines | bytes) -> bytes:
    if isinstance(block, bytes):
        return block
    lines: list[str] = block.text.to_pylist()
    assert lines
    assert all(line.startswith("{") and line.endswith("}") for line in lines)
    return "".join(f"{line}\n" for line in lines).encode()


@given(
    lines=st.lists(st.sampled_from(OBJECTS * 4 + ODD)),
    ends=st.booleans(),
    cuts=st.lists(st.integers(0, 200)),
    block_bytes=st.sampled_from([1, 40, 1 << 20]),
)
def test_the_text_comes_out_as_it_went_in(
    lines: list[bytes], ends: bool, cuts: list[int], block_bytes: int
) -> None:
    log = b"\n".join(lines) + (b"\n" if ends and lines else b"")
    edges = [0, *sorted(min(cut, len(log)) for cut in cuts), len(log)]
    pieces = [log[a:b] for a, b in pairwise(edges)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_blocks, "_BLOCK_BYTES", block_bytes)
        patch.setattr(json_blocks, "_ROOM", 1)
        found = list(cut_blocks(iter(pieces), JsonLines()))
    whole = log if log.endswith(b"\n") or not log else log + b"\n"
    assert b"".join(map(text_of, found)) == whole.decode("utf-8", "replace").encode()
    if not set(lines) & set(ODD):
        assert all(isinstance(block, Lines) for block in found)


def test_keys_are_counted_once_wherever_a_piece_ends() -> None:
    log = b'{"a":"b","c":"d"}\n{"e":"f"}\n'
    for cut in range(len(log) + 1):
        [block] = cut_blocks(iter([log[:cut], log[cut:]]), JsonLines())
        assert isinstance(block, Lines)
        assert block.keys == 3


def test_keys_are_not_counted_where_not_all_values_are_texts() -> None:
    [block] = cut_blocks(iter([b'{"a":"b"}\n', b'{"a":1}\n']), JsonLines())
    assert isinstance(block, Lines)
    assert block.keys is None


def test_lines_of_a_slow_source_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_blocks, "PATIENCE_SECONDS", 0)
    source = iter([b'{"a":"b"}\n{"c', b'":"d"}\n', b"{}"])
    found = cut_blocks(source, JsonLines())
    assert text_of(next(found)) == b'{"a":"b"}\n'
    assert list(source) != []


def test_a_line_without_an_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_blocks, "LONGEST_EVENT", 20)
    found = list(cut_blocks(iter([b"{" + b"x" * 30, b"}\n{}\n"]), JsonLines()))
    assert [text_of(block) for block in found] == [b"{" + b"x" * 30 + b"\n", b"}\n{}\n"]


def test_what_came_before_damage_is_given() -> None:
    def source() -> Iterator[bytes]:
        yield b'{"a":"b"}\n{"c":'
        raise DamagedError("SRC006", "broken off")

    found = cut_blocks(source(), JsonLines())
    assert text_of(next(found)) == b'{"a":"b"}\n{"c":\n'
    with pytest.raises(DamagedError):
        next(found)


def test_a_bad_line_in_a_later_block_keeps_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_blocks, "_BLOCK_BYTES", 10_000)
    monkeypatch.setattr(text, "_PIECE_BYTES", 3_000)
    lines = [f'{{"n":"{number}"}}' for number in range(5_000)]
    lines[4_000] = '{"n":'
    rows, rejected = read_bytes("\n".join(lines).encode())
    assert [r.place for r in rejected] == ["line 4001"]
    numbers = sorted(int(row["n"]) for row in rows)
    assert numbers == [n for n in range(5_000) if n != 4_000]
