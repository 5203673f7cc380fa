"""Logs, archives, YAML, times, SPL at random: no exception that is not an EscudoError."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from escudo.content.reading import read_document
from escudo.core.errors import EscudoError
from escudo.sources.opening import LogStream, UnpackLimits, open_logs
from escudo.sources.reading import read
from escudo.spl.parse import parse
from escudo.spl.relation.time_modifiers import parse_time
from tests.families import FAMILIES
from tests.fuzz import fuzzed
from tests.lake.logs import sysmon
from tests.sources.test_archives import aes_zipped, seven_zipped, tarred, weakly_zipped

SEEDS = (
    sysmon(3).encode(),
    b'{"EventID":1,"Channel":"Security","Hostname":"pc1"}\n' * 3,
    b'[{"EventID":1,"Channel":"Security"},{"a":[1,{"b":null}]}]',
    b"ElfFile\x00" + bytes(4088),
)


def pack_zip(data: bytes, method: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("a", data)
        archive.writestr("b", data)
    return out.getvalue()


PACKED = (
    *SEEDS,
    *(gzip.compress(seed, mtime=0) for seed in SEEDS),
    *(pack_zip(s, m) for s in SEEDS for m in (zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA)),
    *(tarred(a=s, b=s) for s in SEEDS),
    *(pack(tarred(a=SEEDS[0])) for pack in (bz2.compress, lzma.compress)),
    seven_zipped(a=SEEDS[0], b=SEEDS[1]),
    seven_zipped("secret", a=SEEDS[0]),
    aes_zipped(b"secret", a=SEEDS[0]),
    weakly_zipped(b"secret", "a", SEEDS[0]),
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A log or an archive with some bytes changed, cut out or put in."""
    data = bytearray(draw(st.sampled_from(PACKED)))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(data)))
        removed = draw(st.integers(0, 12))
        data[at : at + removed] = draw(st.binary(max_size=12))
    return bytes(data)


@fuzzed
@given(damaged())
def test_readers_and_archives(data: bytes) -> None:
    limits = UnpackLimits(most_bytes=64 << 20, passwords=(b"secret",))
    for item in open_logs(["-"], stdin=io.BytesIO(data), limits=limits):
        if isinstance(item, LogStream):
            for _ in read(item, FAMILIES):
                pass


@fuzzed
@given(st.text() | st.text("[]{}:-? \n'\"&*!|>#ab", max_size=60))
def test_yaml(text: str) -> None:
    read_document("a.yml", text)


@fuzzed
@given(st.text(max_size=20) | st.text("-+@0123456789smhdwqyon:T.Z", max_size=20))
def test_times(text: str) -> None:
    with suppress(EscudoError):
        parse_time(text, 1_700_000_000.0)


WORDS = st.sampled_from(
    [
        *(
            "search",
            "|",
            "stats",
            "count",
            "by",
            "eval",
            "x",
            "=",
            "(",
            ")",
            "[",
            "]",
            '"',
            "`",
            ",",
        ),
        *("where", "rex", "NOT", "OR", "in", "*", "-", "1", "sort", "lookup", "as", "\\", "| "),
    ]
)


@fuzzed
@given(st.lists(WORDS, max_size=25).map(" ".join) | st.text(max_size=60))
def test_spl_is_parsed(text: str) -> None:
    with suppress(EscudoError):
        parse(text)
