"""Text logs at random: sources' samples with bytes changed, and forms over any text."""

from __future__ import annotations

import io
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from escudo.actions.draft_source import draft_source
from escudo.actions.source_samples import read_samples
from escudo.core.errors import EscudoError
from escudo.sources.lines.delimited import DelimitedRule, read_delimited
from escudo.sources.lines.pairs import PairRule, read_pairs
from escudo.sources.opening import LogStream, open_logs
from escudo.sources.reading import RawBatch, read
from tests.families import FAMILIES
from tests.fuzz import fuzzed
from tests.yaml_file import read_yaml

SAMPLES = [
    sample
    for file in sorted((Path(__file__).parents[1] / "sources" / "samples").glob("*.yml"))
    for sample in read_samples(read_yaml(file), file.stem, str(file))
]
TEXT_SOURCES = [family for family in FAMILIES.values() if family.text is not None]
ODD = st.text("ab =\"'\\\t,;|\n#\u00e9", max_size=60)


@st.composite
def damaged(draw: st.DrawFn) -> tuple[bytes, str | None]:
    """A sample with some bytes changed, cut out or put in, and perhaps a source that it is not."""
    data = bytearray(draw(st.sampled_from(SAMPLES)).text.encode())
    for _ in range(draw(st.integers(0, 8))):
        at = draw(st.integers(0, len(data)))
        removed = draw(st.integers(0, 20))
        data[at : at + removed] = draw(st.binary(max_size=12) | ODD.map(str.encode))
    given_ = draw(st.none() | st.sampled_from([family.name for family in TEXT_SOURCES]))
    return bytes(data), given_


@fuzzed
@given(damaged())
def test_every_line_is_an_event_or_told(log: tuple[bytes, str | None]) -> None:
    data, name = log
    family = None if name is None else FAMILIES[name]
    judge = FAMILIES.judge_with(family)
    for stream in open_logs(["-"], stdin=io.BytesIO(data), judge=judge):
        if not isinstance(stream, LogStream):
            continue
        for item in read(stream, FAMILIES, given=family):
            if isinstance(item, RawBatch):
                item.table.validate(full=True)


@fuzzed
@given(st.lists(ODD | st.none(), max_size=8), st.booleans())
def test_pairs_are_columns_of_the_texts(texts: list[str | None], spaced: bool) -> None:
    for name, column in read_pairs(pa.array(texts, pa.string()), PairRule(spaced=spaced)).items():
        column.values.validate(full=True)
        assert len(column.values) == len(column.bare) == len(texts)
        for text, value in zip(texts, column.values.to_pylist(), strict=True):
            assert value is None or (text is not None and f"{name}=" in text)


@fuzzed
@given(st.lists(ODD, max_size=8), st.sampled_from(["", '"']))
def test_values_are_columns_of_the_texts(texts: list[str], quote: str) -> None:
    rule = DelimitedRule(",", ("a", "b", "", "d"), quote)
    columns = read_delimited(pa.array(texts, pa.string()), rule)
    for values in columns.values():
        values.validate(full=True)
        assert len(values) == len(texts)
    if not quote:
        parts = [text.split(",") for text in texts]
        firsts = [part[0] or None for part in parts]
        assert columns.get("a", pa.nulls(len(texts))).to_pylist() == firsts


@fuzzed
@given(st.binary(max_size=200) | ODD.map(str.encode))
def test_a_draft_is_made_or_refused(data: bytes) -> None:
    with suppress(EscudoError):
        draft_source(data, name="x", latest=0.0)
