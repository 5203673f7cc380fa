"""CSV with a header: framing, quoting, what is no CSV."""

from __future__ import annotations

import pytest

from escudo.sources.format_detection import Format, detect_format
from tests.sources.support import read_bytes


def test_a_value_over_several_lines_and_doubled_quotes() -> None:
    text = (
        'time,host,text\r\n2024-06-01T00:00:00Z,h1,"a ""b"",\r\nc"\r\n2024-06-02T00:00:00Z,h2,d\r\n'
    )
    rows, rejected = read_bytes(text.encode())
    assert rejected == []
    assert [row["text"] for row in rows] == ['a "b",\r\nc', "d"]
    assert [str(row["_time"])[:10] for row in rows] == ["2024-06-01", "2024-06-02"]
    assert rows[1]["_raw"] == "2024-06-02T00:00:00Z,h2,d"


def test_semicolons() -> None:
    rows, _ = read_bytes(b"timestamp;host;n\n2024-06-01T00:00:00Z;h;4,5\n")
    assert rows[0]["n"] == "4,5"


def test_an_open_quote_is_told() -> None:
    rows, rejected = read_bytes(b'time,host\n2024-06-01T00:00:00Z,a\n2024-06-01T00:00:00Z,"b\n')
    assert len(rows) == 1
    assert [(item.code, item.place) for item in rejected] == [("SRC033", "line 3")]


@pytest.mark.parametrize("text", [b"", b"a,b\n", b"Dear all, today\nis a day, said he\n"])
def test_no_log(text: bytes) -> None:
    assert detect_format(text) is not Format.CSV_EVENTS
