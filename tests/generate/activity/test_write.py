"""The written logs: exact numbers, same bytes, order, true times, attacks where the answers say."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from datetime import UTC, datetime
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escudo.generate.activity.script import SCRIPTS, load_script
from tests.generate.activity.days import EVENTS, SEED, day, steps, write

JSON_TIMES = {"cloudtrail": "eventTime", "o365": "CreationTime", "entra": "time"}
RECORD = re.compile(r"node=(\S+) type=(\S+) msg=audit\((\d+\.\d{3}):(\d+)\): ")


def time_of(format: str, line: str) -> datetime:
    """When an event was written, by what stands in it."""
    if format == "auditd":
        found = RECORD.match(line)
        assert found is not None
        return datetime.fromtimestamp(float(found[3]), UTC)
    if format == "access":
        return datetime.strptime(line.split("[")[1].split("]")[0], "%d/%b/%Y:%H:%M:%S %z")
    text = json.loads(line)[JSON_TIMES.get(format, "timestamp")]
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.slow
@pytest.mark.parametrize("format", SCRIPTS)
@settings(max_examples=5, deadline=None)
@given(events=st.integers(1, 1_500))
def test_exactly_as_many_events_as_asked_for(format: str, events: int) -> None:
    lines, answers = write(format, events=events)
    assert len(lines) == answers.events == sum(answers.kinds.values()) == events


@pytest.mark.parametrize("format", SCRIPTS)
@pytest.mark.parametrize("events", [1, 2, 3])
def test_the_smallest_logs(format: str, events: int) -> None:
    lines, answers = write(format, events=events)
    assert (len(lines), answers.events) == (events, events)


@pytest.mark.slow
@pytest.mark.parametrize("format", SCRIPTS)
def test_same_arguments_same_bytes(format: str) -> None:
    assert write(format, events=EVENTS, seed=SEED) == day(format)


def test_another_seed_another_day() -> None:
    assert day("access")[0] != day("access", seed=SEED + 1)[0]


@pytest.mark.parametrize("format", SCRIPTS)
def test_events_are_in_the_order_of_their_times_and_within_the_day(format: str) -> None:
    lines, answers = day(format)
    times = [time_of(format, line) for line in lines]
    assert times == sorted(times)
    assert times[0] >= datetime(2024, 5, 14, tzinfo=UTC)
    assert times[-1] < datetime(2024, 5, 15, tzinfo=UTC)
    assert answers.end[:19] == times[-1].strftime("%Y-%m-%dT%H:%M:%S")


@pytest.mark.parametrize("format", SCRIPTS)
def test_people_work_by_day_and_programs_at_night(format: str) -> None:
    hours = Counter(time_of(format, line).hour for line in day(format)[0])
    assert sum(hours[h] for h in (9, 10, 14, 15)) > 1.2 * sum(hours[h] for h in (1, 2, 3, 4))
    assert all(hours[h] for h in range(24))


@pytest.mark.parametrize("format", SCRIPTS)
def test_the_answers_lines_are_in_the_log(format: str) -> None:
    lines, answers = day(format)
    known = Counter(lines)
    for row in steps(answers):
        assert row.kind == "attack"
        assert row.logged == len(row.lines) > 0
        assert not Counter(row.lines) - known
        first = min(time_of(format, line) for line in row.lines)
        assert row.time[:19] == first.strftime("%Y-%m-%dT%H:%M:%S")
    assert sum(row.logged for row in answers.rows) == answers.kinds["attack"]


@pytest.mark.parametrize("format", SCRIPTS)
def test_the_answers_have_every_step_of_the_script(format: str) -> None:
    rows = steps(day(format)[1])
    assert [row.label for row in rows] == [step.label for step in load_script(format).steps]
    assert {row.campaign for row in rows} == {0}
    for row in rows:
        told = row.host if format == "auditd" else row.src
        assert all(told in line for line in row.lines)


@pytest.mark.parametrize("format", SCRIPTS)
def test_without_attacks(format: str) -> None:
    lines, answers = write(format, events=1_000, attacks=False)
    assert (len(lines), answers.rows) == (1_000, ())
    assert "attack" not in answers.kinds
    assert not any("192.0.2." in line for line in lines)


def test_a_small_log_is_no_attack_from_end_to_end() -> None:
    _, answers = write("entra", events=100)
    assert answers.rows == ()
    _, answers = write("cloudtrail", events=6)
    assert answers.kinds["attack"] == 3


def test_more_days_and_more_intrusions() -> None:
    lines, answers = write("access", events=40_000, hosts=5)
    assert {time_of("access", lines[0]).day, time_of("access", lines[-1]).day} == {14, 15}
    assert {row.campaign for row in answers.rows} == {0, 1}
    _, answers = write("access", events=2_000, hosts=300)
    assert {row.campaign for row in answers.rows} == {0, 1}


@pytest.mark.parametrize("format", ["cloudtrail", "o365", "entra", "suricata"])
def test_json_formats_have_whole_objects(format: str) -> None:
    for line in day(format)[0]:
        assert isinstance(json.loads(line), dict)
        assert "${" not in line.replace("${jndi", "")


def test_the_records_of_an_audit_event_stand_together() -> None:
    lines, _ = day("auditd")
    found = [RECORD.match(line) for line in lines]
    events = [(m[1], m[3], m[4]) for m in found if m is not None]
    assert len(events) == len(lines)
    groups = [event for event, _ in groupby(events)]
    assert len(groups) == len(set(groups))
    last: dict[str, int] = defaultdict(int)
    for host, _, serial in groups:
        assert int(serial) > last[host]
        last[host] = int(serial)
    types = {m[2] for m in found if m is not None}
    assert {"SYSCALL", "EXECVE", "CWD", "PATH", "PROCTITLE", "EOE", "USER_LOGIN"} <= types


def test_a_process_title_says_what_was_executed() -> None:
    lines, _ = day("auditd")
    for before, line in zip(lines, lines[4:], strict=False):
        if " type=EXECVE " in before:
            arguments = re.findall(r' a\d+=("[^"]*"|[0-9A-F]+)', before)
            title = line.split("proctitle=")[1]
            decoded = [a[1:-1] if a[0] == '"' else bytes.fromhex(a).decode() for a in arguments]
            plain = title[1:-1] if title[0] == '"' else bytes.fromhex(title).decode()
            assert plain.split("\0") == decoded


def test_the_events_of_a_connection_share_its_flow() -> None:
    flows: dict[int, list[dict[str, object]]] = defaultdict(list)
    for line in day("suricata")[0]:
        event = json.loads(line)
        flows[event["flow_id"]].append(event)
    kinds = Counter(tuple(e["event_type"] for e in events) for events in flows.values())
    assert kinds["tls", "flow"] > 100
    assert kinds["dns", "dns"] > 100
    for events in flows.values():
        ends = {
            frozenset({(e["src_ip"], e["src_port"]), (e["dest_ip"], e["dest_port"])})
            for e in events
        }
        assert len(ends) == 1


@pytest.mark.parametrize("format", SCRIPTS)
def test_the_steps_of_an_intrusion_share_their_intruder(format: str) -> None:
    _, answers = write(format, events=8_000, hosts=450)
    by_campaign = defaultdict(set)
    for row in steps(answers):
        if row.src.startswith("192.0.2."):
            by_campaign[row.campaign].add((row.src, row.user))
    assert sorted(by_campaign) == [0, 1, 2]
    assert {len(shared) for shared in by_campaign.values()} == {1}


def test_a_spray_tries_each_account_once() -> None:
    spray = next(row for row in steps(day("entra")[1]) if row.technique == "T1110.003")
    tried = Counter(json.loads(line)["properties"]["userPrincipalName"] for line in spray.lines)
    assert (len(tried), set(tried.values())) == (70, {1})


def test_the_answers_say_how_often_a_detection_is_expected() -> None:
    _, answers = day("cloudtrail")
    assert answers.expected("AWS CreateAccessKey") == 1
    assert answers.expected_rows("AWS CreateAccessKey") == 1
    assert answers.processes == ()
