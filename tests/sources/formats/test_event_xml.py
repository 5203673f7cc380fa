from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from escudo.sources.assemble import assemble
from escudo.sources.formats import event_xml
from escudo.sources.formats.bytesviews import PADDING
from escudo.sources.formats.event_xml import read_padded
from escudo.sources.formats.rejected import Rejected
from escudo.sources.formats.windows_form import render_windows_form
from escudo.sources.formats.xml_shapes import Shapes
from escudo.sources.reading import RawBatch
from tests.families import FAMILIES
from tests.sources.support import event, read_bytes, rows_of
from tests.yaml_file import read_yaml

CASES = read_yaml(Path(__file__).parents[1] / "cases" / "event_xml.yml")
SLOW = 10**9
FAST = 1


def read_text(text: str, least: int) -> tuple[list[dict[str, Any]], list[Rejected]]:
    def batches() -> Iterator[RawBatch | Rejected]:
        for item in read_padded(text.encode() + bytes(PADDING), Shapes(least), "test.log"):
            if isinstance(item, Rejected):
                yield item
            else:
                yield from assemble(item, FAMILIES, source_file="test.log", default_time=0.0)

    return rows_of(batches())


def sorted_rows(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(repr(sorted(row.items())) for row in rows)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["name"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_cases(case: dict[str, Any], encoding: str) -> None:
    prefix = codecs.BOM_UTF16_BE if encoding == "utf-16-be" else b""
    rows, rejected = read_bytes(prefix + case["text"].encode(encoding))
    assert [r.code for r in rejected] == case.get("rejected", [])
    rows.sort(key=lambda row: str(row["EventID"]))
    assert len(rows) == len(case["rows"])
    for row, expected in zip(rows, case["rows"], strict=True):
        found = {name: row.get(name, "absent") for name in expected}
        assert found == {
            k: [str(v) for v in x] if isinstance(x, list) else x for k, x in expected.items()
        }


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["name"])
def test_shapes_agree_with_the_parser_on_the_cases(case: dict[str, Any]) -> None:
    fast, slow = read_text(case["text"], FAST), read_text(case["text"], SLOW)
    assert sorted_rows(fast[0]) == sorted_rows(slow[0])
    assert fast[1] == slow[1]


VALUES = st.text(
    st.one_of(
        st.characters(
            min_codepoint=32, exclude_categories=["Cs"], exclude_characters="<&\ufffe\uffff"
        ),
        st.sampled_from("'\">\t\r\n\x01"),
    ),
    max_size=40,
)
ESCAPED = st.builds(
    lambda before, entity, after: before + entity + after,
    VALUES,
    st.sampled_from(
        ["", "&amp;", "&lt;&gt;", "&quot;", "&#65;", "&#x1F600;", "&#0;", "&", "&x;", "&amp;lt;"]
    ),
    VALUES,
)
NAMES = st.sampled_from(["Image", "CommandLine", "ProcessID", "Name", "Other", "Level"])
DATA = st.builds(lambda name, value: f"<Data Name='{name}'>{value}</Data>", NAMES, ESCAPED)
UNNAMED = st.builds(lambda value: f"<Data>{value}</Data>", ESCAPED)
ODD = st.sampled_from(
    [
        "<Data Name='s'/>",
        "<Data Name='c'><![CDATA[<x>]]></Data>",
        "<!-- c -->",
        "<Binary>00</Binary>",
    ]
)


@st.composite
def event_texts(draw: st.DrawFn) -> str:
    number = draw(st.integers(0, 10**6))
    data = draw(st.lists(st.one_of(DATA, DATA, DATA, UNNAMED, ODD), max_size=5))
    text = event(number, "".join(data), event_id=draw(st.sampled_from([1, 3, 400])))
    if draw(st.booleans()):
        text = text.replace("'S-1-5-18'", "''").replace("<Correlation/>", "")
    if draw(st.integers(0, 9)) == 0:
        text = text[: draw(st.integers(0, len(text)))]
    return text


@pytest.mark.slow
@settings(deadline=None)
@given(
    texts=st.lists(event_texts(), min_size=1, max_size=12),
    between=st.sampled_from(["\n", "\r\n", "", "\n\n", " ", "\nheader: "]),
)
@example(texts=[event(1), event(2).replace("S-1-5-18", "\U0010fe00")], between="\n")
@example(texts=[event(1), event(22)[:-40], event(3)], between="\n")
@example(texts=[event(1), event(2).replace("S-1-5-18'", "S-1-5-18' More='x'")], between="\n")
@example(texts=[event(1), event(2).replace("ProcessID='", "ProcessID='4' More='")], between="\n")
def test_shapes_agree_with_the_parser(texts: list[str], between: str) -> None:
    text = between.join(texts)
    fast, slow = read_text(text, FAST), read_text(text, SLOW)
    assert sorted_rows(fast[0]) == sorted_rows(slow[0])
    assert fast[1] == slow[1]


@pytest.mark.slow
def test_every_event_of_many_blocks_is_read_once() -> None:
    text = "".join(
        event(n, f"<Data Name='Image'>{'x' * (n % 50)}</Data>") + "\n" for n in range(20_000)
    )
    rows, rejected = read_bytes(text.encode())
    assert rejected == []
    assert sorted(int(row["EventRecordID"]) for row in rows) == list(range(20_000))
    assert all(row.get("Image", "") == "x" * (int(row["EventRecordID"]) % 50) for row in rows)


def test_places_are_lines_of_the_file() -> None:
    good = event(1, f"<Data Name='a'>{'x' * 4000}</Data>") + "\n"
    text = good * 3000 + "<junk>\n" + good * 3000 + "<Event><System></Event>\n"
    rows, rejected = read_bytes(text.encode())
    assert len(rows) == 6000
    assert [r.place for r in rejected] == ["line 3001", "line 6002"]


def test_bytes_that_are_no_utf8_are_replaced() -> None:
    rows, rejected = read_bytes(event().encode().replace(b"a.exe", b"a\xff.exe"))
    assert rejected == []
    assert rows[0]["Image"] == "C:\\a\ufffd.exe"


@pytest.mark.parametrize(
    "data",
    ["<Data Name='a'>it's</Data>", "<Data Name='a'>\n    </Data>", "<Data Name='a'>x\0\0y</Data>"],
)
def test_the_windows_form_is_the_same_both_ways(data: str) -> None:
    one = (
        '<Event xmlns="x">\n  <System>\n    <Provider Name="P" Guid="G">\n    </Provider>\n'
        '    <EventID>1</EventID>\n    <TimeCreated SystemTime="2019-07-29T21:32:55.583667Z">\n'
        "    </TimeCreated>\n    <Correlation>\n    </Correlation>\n    <Channel>C</Channel>\n"
        "    <Computer>\n    </Computer>\n  </System>\n  <EventData>\n    "
        + data.replace("Name='a'", 'Name="a"')
        + "\n  </EventData>\n</Event>\n"
    )
    fast, slow = (
        rows_of(
            batch
            for item in read_padded(
                one.encode() * 3 + bytes(PADDING), Shapes(least, render_windows_form), "test.log"
            )
            if not isinstance(item, Rejected)
            for batch in assemble(item, FAMILIES, source_file="test.log", default_time=0.0)
        )[0]
        for least in (FAST, SLOW)
    )
    assert fast == slow
    value = data.partition(">")[2].partition("<")[0]
    assert fast[0].get("a", "") == value.strip()
    assert fast[0]["_raw"] == (
        "<Event xmlns='x'><System><Provider Name='P' Guid='G'></Provider><EventID>1</EventID>"
        "<TimeCreated SystemTime='2019-07-29T21:32:55.583667Z'></TimeCreated>"
        "<Correlation></Correlation><Channel>C</Channel><Computer></Computer></System>"
        f"<EventData>{data.replace(value, value.strip())}</EventData></Event>"
    )


def test_a_block_does_not_end_inside_of_an_event(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = "<UserData><Event xmlns='y'><Foo>1</Foo></Event></UserData></Event>"
    nested = event(7).replace("</Event>", inner)
    monkeypatch.setattr(event_xml, "_BLOCK_BYTES", 1)
    monkeypatch.setattr("escudo.sources.formats.text._PIECE_BYTES", len(nested) - 20)
    rows, rejected = read_bytes((nested * 5).encode())
    assert [row["Foo"] for row in rows] == ["1"] * 5
    assert rejected == []


def test_what_is_rejected_names_the_record() -> None:
    _, [rejected] = read_bytes(event(4711).replace("</EventData>", "</Oops>").encode())
    assert "EventRecordID 4711" in rejected.message
