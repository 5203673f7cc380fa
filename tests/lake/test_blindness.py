"""Nothing is passed over in silence: what was read and not understood is counted and told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from escudo.lake import Lake
from escudo.lake.ingest import ingest
from escudo.lake.ingest_options import IngestOptions
from escudo.sources.date_order import DateOrder
from escudo.sources.notes import Kind
from tests.yaml_file import read_yaml

CASES = read_yaml(Path(__file__).with_name("blindness.yml"))


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=[c["name"] for c in CASES])
def test_a_file_is_told_of(case: dict[str, Any], tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text(case["text"], "utf-8")
    order = DateOrder(case["date_order"]) if "date_order" in case else None
    with Lake.open(tmp_path / "lake") as lake:
        report = ingest([log], lake, IngestOptions(date_order=order))
    assert [d.code for d in report.diagnostics] == case.get("codes", [])
    assert report.blind == case.get("blind", 0)
    assert report.rejected == case.get("rejected", 0)
    assert report.count_notes(Kind.FILE_TIME) == case.get("file_time", 0)
    assert report.count_notes(Kind.OTHER_LINES) == case.get("other_lines", 0)


def test_a_text_that_shows_an_event_is_passed_over_in_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    shown = "# Notes\n\n<Event><System><EventID>1</EventID></System></Event>\n"
    (folder / "README.md").write_text(shown, "utf-8")
    with Lake.open(tmp_path / "lake") as lake:
        report = ingest([folder], lake)
    assert {(d.code, d.severity.value) for d in report.diagnostics} >= {("SRC004", "info")}
    assert report.read == 0
