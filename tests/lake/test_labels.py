"""What a user says of the events of an ingest is what searches find them by, whoever read them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from escudo.actions.engines import DuckDBEngines
from escudo.actions.ingest import ingest_logs
from escudo.actions.search import SearchOptions, search_lake
from escudo.actions.workspace import Workspace
from escudo.content import load
from escudo.core.spread import Spread
from escudo.lake import Lake
from escudo.lake.ingest_options import IngestOptions
from escudo.lake.labels import MARKS, Labels
from escudo.lake.place import LEDGER
from escudo.lake.verify import repair
from tests.lake.logs import sysmon, write_logs
from tests.lake.workers import Workers

OWN = load()
NOW = 1_700_100_000.0


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    with Lake.open(tmp_path / "lake") as opened:
        yield opened


@pytest.fixture(params=["one process", "workers"])
def spread(request: pytest.FixtureRequest) -> Spread | None:
    return Workers() if request.param == "workers" else None


def _count(lake: Lake, conditions: str) -> int:
    """The events that a search by these conditions finds."""
    space = Workspace(content=OWN, lake=lake, engine_of=DuckDBEngines(), now=NOW)
    tables = search_lake(f"{conditions} | stats count", space, SearchOptions()).tables
    return sum(count for table in tables for count in table["count"].to_pylist())


def test_events_are_found_by_their_labels(
    lake: Lake, spread: Spread | None, tmp_path: Path
) -> None:
    """No source of Escudo's names these; those of the events' own family say nothing any more."""
    options = IngestOptions(labels=Labels("feed:7", "our:sysmon", "gate1", "border"))
    ingest_logs(write_logs(tmp_path / "logs", 3, 5), lake, options, spread=spread)
    for condition in ("source=feed:7", "sourcetype=our:sysmon", "host=gate1", "index=border"):
        searched = condition if condition.startswith("index") else f"index=* {condition}"
        assert _count(lake, searched) == 15, condition
    assert _count(lake, "index=* sourcetype=XmlWinEventLog") == 0
    assert _count(lake, "index=* sourcetype=our:other") == 0


def test_events_without_labels_stay_what_they_are(
    lake: Lake, spread: Spread | None, tmp_path: Path
) -> None:
    first, *others = write_logs(tmp_path / "logs", 3, 5)
    ingest_logs(others, lake, spread=spread)
    assert lake.ledger.marks(MARKS) == {}
    ingest_logs([first], lake, IngestOptions(labels=Labels(sourcetype="our:sysmon")), spread=spread)
    assert _count(lake, "index=* sourcetype=XmlWinEventLog") == 10
    assert _count(lake, "index=* sourcetype=our:sysmon") == 5
    assert list(lake.ledger.marks(MARKS)) == [f"{MARKS}raw_sysmon"]


def test_a_reader_that_is_open_finds_them(
    lake: Lake, spread: Spread | None, tmp_path: Path
) -> None:
    """The label is found with the commit that brings it, also by another process."""
    with Lake.open(lake.storage.url) as reader:
        for number, sourcetype in enumerate(("one", "two"), start=1):
            log = tmp_path / f"{sourcetype}.xml"
            log.write_text(sysmon(4, sourcetype))
            assert _count(reader, f"index=* sourcetype={sourcetype}") == 0
            ingest_logs(
                [log], lake, IngestOptions(labels=Labels(sourcetype=sourcetype)), spread=spread
            )
            assert _count(reader, f"index=* sourcetype={sourcetype}") == 4
            assert reader.ledger.head().id == number, "a label is no commit of its own"


def test_a_source_type_decides_what_reads_the_text(
    lake: Lake, spread: Spread | None, tmp_path: Path
) -> None:
    log = tmp_path / "lines.txt"
    log.write_text("type=PROCTITLE msg=audit(1722944427.844:4146): proctitle=6C73002D6C\n")
    ingested = ingest_logs(
        [log], lake, IngestOptions(labels=Labels(sourcetype="auditd")), spread=spread
    )
    assert ingested.report.read == 1
    assert _count(lake, 'index=* sourcetype=auditd proctitle="ls -l"') == 1


def test_labels_are_found_under_a_new_ledger(tmp_path: Path) -> None:
    """The tables have them, and the ledger that said so is lost."""
    place = tmp_path / "lake"
    with Lake.open(place) as lake:
        ingest_logs(
            write_logs(tmp_path / "logs", 1, 5), lake, IngestOptions(labels=Labels(index="border"))
        )
    (place / LEDGER).unlink()
    repair(place)
    with Lake.open(place) as lake:
        assert _count(lake, "index=border") == 5
        assert _count(lake, "index=main") == 0
