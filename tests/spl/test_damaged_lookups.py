"""A CSV file that is no CSV text is an error; one with faults gives its rows and a warning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from escudo.content.knowledge import ContentKnowledge
from escudo.core.catalog import Lookup
from escudo.core.errors import EscudoError
from escudo.engines.execute import run_search
from escudo.lake import Lake
from tests.shared_engine import engine_over


def read(tmp_path: Path, content: bytes) -> tuple[list[dict[str, Any]], list[str]]:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    knowledge = ContentKnowledge({}, {"t": Lookup("t", str(path))}, {}, [])
    with Lake.create_temporary() as lake:
        found = run_search("| inputlookup t", engine_over(lake), lake, knowledge, now=0.0)
    return found.table.to_pylist(), [f"{d.code} {d.message}" for d in found.diagnostics]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'a,b\n1,"2\n3,4\n', "unexpected end of data"),
        (b'a,b\n"1"x,2\n3,4,5\n', "line 2"),
        (b"a,b\n1,\x002\n", "zero bytes"),
        (b"\x1f\x8b\x08\x00binary\n", "zero bytes"),
    ],
)
def test_what_cannot_be_parsed_is_an_error(content: bytes, says: str, tmp_path: Path) -> None:
    with pytest.raises(EscudoError, match=f"SPL314.*{says}"):
        read(tmp_path, content)


@pytest.mark.parametrize(
    ("content", "rows", "says"),
    [
        (
            b"a,b\n1,2\n3\n4,5,6\n7,8\n",
            [
                {"a": "1", "b": "2"},
                {"a": "3", "b": None},
                {"a": "4", "b": "5"},
                {"a": "7", "b": "8"},
            ],
            "SPL341 lookup 't': 2 rows are not as wide as the header; the first is line 3",
        ),
        (b"a\nx\n\xe9\n", [{"a": "x"}, {"a": "\ufffd"}], "SPL341 lookup 't': line 3 is not UTF-8"),
    ],
)
def test_no_row_is_lost(
    content: bytes, rows: list[dict[str, Any]], says: str, tmp_path: Path
) -> None:
    found, warnings = read(tmp_path, content)
    assert found == rows
    assert len(warnings) == 1
    assert warnings[0].startswith(says)


@pytest.mark.parametrize(
    "content",
    [b'a,b\r\n1,"x\r\ny"\r\n\r\n2,"say ""no"""\r\n', b'\xef\xbb\xbfa,b\n1,"x\ny"\n2,"say ""no"""'],
)
def test_quotes_and_line_breaks_are_no_faults(content: bytes, tmp_path: Path) -> None:
    found, warnings = read(tmp_path, content)
    assert warnings == []
    assert [row["b"].replace("\r", "") for row in found] == ["x\ny", 'say "no"']


def test_a_field_that_only_the_definition_has(tmp_path: Path) -> None:
    """As a collection's after a search wrote rows without it (transforms.conf, fields_list)."""
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n")
    lookup = Lookup("t", str(path), collection="t", fields=("a", "b", "c"))
    knowledge = ContentKnowledge({}, {"t": lookup}, {}, [])
    search = '| makeresults | eval a="1" | lookup t a OUTPUT b c | table a b c'
    with Lake.create_temporary() as lake:
        found = run_search(search, engine_over(lake), lake, knowledge, now=0.0)
    assert found.table.to_pylist() == [{"a": "1", "b": "2", "c": None}]
