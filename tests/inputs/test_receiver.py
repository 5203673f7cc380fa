"""What senders bring: read by its form, labelled, committed together, and never lost or doubled."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from escudo.core.errors import EscudoError
from escudo.core.metrics import Metrics
from escudo.core.timerange import ALL_TIME
from escudo.inputs.received import ReceivedEvents, ReceivedSyslog, ReceivedText
from escudo.inputs.receiver import ANSWERS, Receipt, Receiver
from escudo.lake import Lake
from escudo.lake.labels import NO_LABELS, Labels
from escudo.lake.tables import load_tables
from escudo.lake.writer import Writer
from tests.lake.logs import sysmon

pytestmark = pytest.mark.slow

_load_tables = cache(load_tables)


def open_lake(folder: Path) -> Lake:
    return Lake.open(folder / "lake", tables=_load_tables())


def events(*texts: str, key: str | None = None, labels: Labels = NO_LABELS) -> ReceivedEvents:
    count = len(texts)
    return ReceivedEvents(
        texts=texts,
        labels=[labels] * count,
        times=[None] * count,
        fields=[None] * count,
        origin="test",
        received=1000.0,
        defaults=Labels(source="http:test", sourcetype="httpevent", host="sender"),
        key=key,
    )


def read_rows(lake: Lake, table: str) -> list[dict[str, Any]]:
    files = lake.snapshot().files(table, ALL_TIME)
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    return sorted(rows, key=lambda row: str(row["_raw"]))


def read_general(lake: Lake) -> list[dict[str, Any]]:
    """The events of no known source."""
    rows = [*read_rows(lake, "raw_json_generic"), *read_rows(lake, "raw_text_generic")]
    return sorted(rows, key=lambda row: str(row["_raw"]))


def read_raws(lake: Lake) -> list[str]:
    return [row["_raw"] for row in read_general(lake)]


def test_each_event_keeps_what_its_sender_says_of_it(tmp_path: Path) -> None:
    """Events of several forms, read in columns of their own, find their labels again."""
    lines = sysmon(40).splitlines()
    texts = [*lines, *(f"line {n}" for n in range(40)), *(f'{{"n": "{n}"}}' for n in range(300))]
    texts = texts[::3] + texts[1::3] + texts[2::3]
    given = [
        ReceivedEvents(
            texts=texts,
            labels=[Labels(host=f"host {text}") for text in texts],
            times=[float(n) for n in range(len(texts))],
            fields=[{"place": str(n)} if n % 2 else None for n in range(len(texts))],
            origin="test",
            received=5.0,
        )
    ]
    with open_lake(tmp_path) as lake, Receiver(lake, commit_seconds=0.1) as receiver:
        assert receiver.accept(given[0]).wait(60)
        rows = [*read_rows(lake, "raw_sysmon"), *read_general(lake)]
        assert len(rows) == len(texts)
        for row in rows:
            place = texts.index(row["_raw"])
            assert row["host"] == f"host {row['_raw']}"
            assert row["_time"].timestamp() == place
            assert dict(row["_fields"]).get("place") == (str(place) if place % 2 else None)
        assert len(read_rows(lake, "raw_sysmon")) == 40
        processes = lake.snapshot().files("endpoint_processes", ALL_TIME)
        assert sum(pq.read_metadata(file).num_rows for file in processes) == 40


def test_equal_texts_keep_their_own_times(tmp_path: Path) -> None:
    line = sysmon(1).strip()
    given = replace(events(*[line] * 30), times=[float(n) for n in range(30)])
    with open_lake(tmp_path) as lake, Receiver(lake, commit_seconds=0.1) as receiver:
        assert receiver.accept(given).wait(60)
        rows = read_rows(lake, "raw_sysmon")
        assert sorted(row["_time"].timestamp() for row in rows) == list(range(30))


def test_searches_find_events_by_their_labels(tmp_path: Path) -> None:
    """What a source says of its events is not believed of those that carry labels."""
    with open_lake(tmp_path) as lake, Receiver(lake, commit_seconds=0.1) as receiver:
        schema = next(t for t in lake.raw_tables() if t.table == "raw_text_generic")
        assert schema.values["index"] == frozenset({"main"})
        receiver.accept(events("a", labels=Labels(index="web"))).wait(60)
        schema = next(t for t in lake.raw_tables() if t.table == "raw_text_generic")
        assert "index" not in schema.values
        other = next(t for t in lake.raw_tables() if t.table == "raw_crowdstrike_fdr")
        assert "index" in other.values


def test_small_requests_are_committed_together(tmp_path: Path) -> None:
    with open_lake(tmp_path) as lake, Receiver(lake, commit_seconds=0.5) as receiver:
        receipts = [receiver.accept(events(f"event {n}")) for n in range(500)]
        assert all(receipt.wait(60) for receipt in receipts)
        assert len(read_raws(lake)) == 500
        assert lake.ledger.head().id <= 3
        assert len(lake.snapshot().files("raw_json_generic", ALL_TIME)) <= 3


def test_what_waits_is_committed_at_the_end(tmp_path: Path) -> None:
    with open_lake(tmp_path) as lake:
        with Receiver(lake, commit_seconds=60) as receiver:
            receipt = receiver.accept(events("last"))
        assert receipt.durable
        assert read_raws(lake) == ["last"]
        with pytest.raises(EscudoError, match="wait"):
            receiver.accept(events("too late"))


def test_a_sender_is_told_to_wait_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    commit = Writer.commit

    def slow(self: Writer, *args: Any, **kwargs: Any) -> Any:
        gate.wait(60)
        return commit(self, *args, **kwargs)

    monkeypatch.setattr(Writer, "commit", slow)
    metrics = Metrics()
    with (
        open_lake(tmp_path) as lake,
        Receiver(lake, commit_seconds=0.1, waiting_bytes=2000, metrics=metrics) as receiver,
    ):
        kept: list[tuple[int, Receipt]] = []

        def fill() -> None:
            for number in range(100):
                kept.append((number, receiver.accept(events(f"event {number:03}"))))

        with pytest.raises(EscudoError) as raised:
            fill()
        assert raised.value.code == "INP004"
        assert 1 < len(kept) < 100
        assert receiver.held_bytes <= 2000
        gate.set()
        assert all(receipt.wait(60) for _, receipt in kept)
        assert receiver.accept(events("event later")).wait(60)
        assert read_raws(lake) == [*(f"event {n:03}" for n, _ in kept), "event later"]
    sample = metrics.registry.get_sample_value
    assert sample("escudo_received_turned_away_total") == 1
    assert sample("escudo_received_waiting_bytes") == 0
    assert sample("escudo_ingested_events_total", {"family": "text_generic"}) == len(kept) + 1


def test_a_commit_that_fails_is_told_and_the_next_one_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_lake(tmp_path) as lake, Receiver(lake, commit_seconds=0.1) as receiver:
        with monkeypatch.context() as patched:

            def fail(*_: Any, **__: Any) -> None:
                raise EscudoError("LAK006", "no room")

            patched.setattr(Writer, "commit", fail)
            receipt = receiver.accept(events("lost?"))
            with pytest.raises(EscudoError, match="no room"):
                receipt.wait(60)
            assert not receipt.durable
        assert receiver.accept(events("sent again")).wait(60)
        assert read_raws(lake) == ["sent again"]


def test_what_cannot_be_kept_stops_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = Writer.append_raw

    def stumble(self: Writer, batch: Any) -> None:
        if "poison" in batch.table["_raw"].to_pylist():
            raise RuntimeError("a fault")
        append(self, batch)

    monkeypatch.setattr(Writer, "append_raw", stumble)
    with open_lake(tmp_path) as lake, Receiver(lake, commit_seconds=0.3) as receiver:
        receipts = [receiver.accept(events(text)) for text in ("a", "poison", "b")]
        assert [receipts[n].wait(60) for n in (0, 2)] == [True, True]
        with pytest.raises(EscudoError) as raised:
            receipts[1].wait(60)
        assert raised.value.code == "INP005"
        assert read_raws(lake) == ["a", "b"]


@pytest.mark.parametrize("answered", [False, True])
def test_a_retry_of_what_was_committed_and_not_answered(tmp_path: Path, answered: bool) -> None:
    """The process dies after the commit. The sender that was never answered sends the same again,
    and it is taken as done, once; of one that was answered, the same is another event."""
    with open_lake(tmp_path) as lake:
        with Receiver(lake, commit_seconds=0.1) as receiver:
            receipt = receiver.accept(events("one", key="k"))
            assert receipt.wait(60)
            if answered:
                receipt.answered()
            assert receiver.accept(events("two", key="l")).wait(60)
        with Receiver(lake, commit_seconds=0.1) as receiver:
            for key in ("k", "k", None):
                assert receiver.accept(events("one", key=key)).wait(60)
        assert read_raws(lake).count("one") == (4 if answered else 3)


def test_keys_of_answered_requests_are_forgotten(tmp_path: Path) -> None:
    with open_lake(tmp_path) as lake, Receiver(lake, commit_seconds=0.05) as receiver:
        for number in range(5):
            receipt = receiver.accept(events("one", key=f"k{number}"))
            assert receipt.wait(60)
            receipt.answered()
        assert len(lake.ledger.marks(ANSWERS)) == 1


def test_two_receivers_of_one_lake(tmp_path: Path) -> None:
    """A second process takes the first one's marks for those of a dead one, and ends them: the
    first goes on."""
    with open_lake(tmp_path) as lake, Receiver(lake, commit_seconds=0.05) as first:
        receipt = first.accept(events("one", key="k"))
        assert receipt.wait(60)
        with Receiver(lake, commit_seconds=0.05) as second:
            assert second.accept(events("one", key="k")).wait(60)  # taken as done
            assert second.accept(events("two", key="l")).wait(60)
        receipt.answered()
        assert first.accept(events("three", key="m")).wait(60)
        assert read_raws(lake) == ["one", "three", "two"]


def test_texts_of_one_label_are_read_together(tmp_path: Path) -> None:
    label = Labels(sourcetype="XmlWinEventLog", index="raw")

    def text(data: str, labels: Labels = label) -> ReceivedText:
        return ReceivedText(data=data.encode(), labels=labels, origin="test", received=9.0)

    lines = sysmon(6).splitlines()
    csv = "TimeCreated,EventID,Channel,Computer\n2024-01-01T00:00:00Z,1,Application,pc\n"
    given = [
        text("\n".join(lines[:3])),
        text(lines[3]),
        text("\n".join(lines[4:]), Labels(host="other")),
        text('{"a": 1}\n{"a": 2}\n{"broken'),
        text("up\r\ndown"),
        text(csv),
        text(csv),
    ]
    with open_lake(tmp_path) as lake, Receiver(lake, commit_seconds=0.2) as receiver:
        assert all(r.wait(60) for r in [receiver.accept(each) for each in given])
        rows = read_rows(lake, "raw_sysmon")
        assert sorted(row["host"] for row in rows) == ["other"] * 2 + ["pc1"] * 4
        generic = read_general(lake)
        assert {"up", "down", '{"a": 1}', '{"a": 2}'} <= {row["_raw"] for row in generic}
        (rejected,) = list(lake.rejected_folder.path.glob("*.jsonl"))
        assert json.loads(rejected.read_text())["excerpt"] == '{"broken'


def test_syslog_messages(tmp_path: Path) -> None:
    messages: Sequence[bytes] = (
        b"<13>Nov  5 10:00:01 pc9 sshd[12]: Accepted",
        b"<34>1 2003-10-11T22:14:15.003Z linux sysmon - - - " + sysmon(1).strip().encode(),
        b"no header \xff",
    )
    given = ReceivedSyslog(
        messages=messages,
        peer="192.0.2.7",
        origin="syslog:tcp",
        received=time.time(),
        labels=Labels(index="net"),
    )
    with open_lake(tmp_path) as lake, Receiver(lake, commit_seconds=0.1) as receiver:
        assert receiver.accept(given).wait(60)
        (event,) = read_rows(lake, "raw_sysmon")
        assert (event["host"], event["index"]) == ("linux", "net")
        assert event["_raw"].startswith("<34>1 2003")
        assert dict(event["_fields"])["process"] == "sysmon"
        (login,), (bare,) = read_rows(lake, "raw_linux_secure"), read_general(lake)
        assert (login["host"], login["sourcetype"]) == ("pc9", "linux_secure")
        assert dict(login["_fields"])["message"] == "Accepted"
        assert (bare["host"], bare["_raw"]) == ("192.0.2.7", "no header \ufffd")
