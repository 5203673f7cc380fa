"""The generated day is consistent, realistic and reproducible, and its answers are true."""

from __future__ import annotations

import io
import re
from collections import Counter
from datetime import UTC, datetime

import pytest

from escudo.core.errors import EscudoError
from escudo.generate.answers import Answer
from escudo.generate.generate import DEFAULT_START, FORMATS, generate
from tests.generate.logs import EVENTS, SEED, fdr_events, json_events, raw, sysmon, xml_events

WMI = "Process Execution via WMI"


@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS)
def test_same_arguments_same_bytes(format: str) -> None:
    again = io.BytesIO()
    answers = generate(EVENTS, SEED, format, again)
    assert (again.getvalue(), answers) == raw(format)


@pytest.mark.slow
def test_another_seed_another_day() -> None:
    assert raw("xml")[0] != raw("xml", seed=SEED + 1)[0]


@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS)
def test_as_many_lines_as_asked_for(format: str) -> None:
    text, answers = raw(format)
    assert text.count(b"\n") == answers.events == sum(answers.kinds.values()) == EVENTS
    assert text.endswith(b"\n")


@pytest.mark.slow
def test_every_parent_exists_and_started_before() -> None:
    started: dict[str, tuple[str, str, str, str]] = {}
    for e in sysmon(xml_events(), 1):
        d = e.data
        if d["ParentProcessGuid"] == "{00000000-0000-0000-0000-000000000000}":
            assert d["Image"].endswith("smss.exe")
        else:
            parent = started[d["ParentProcessGuid"]]
            assert parent == (
                e.system["Computer"],
                d["ParentProcessId"],
                d["ParentImage"],
                d["ParentCommandLine"],
            )
        assert d["ProcessGuid"] not in started
        started[d["ProcessGuid"]] = (
            e.system["Computer"],
            d["ProcessId"],
            d["Image"],
            d["CommandLine"],
        )


@pytest.mark.slow
def test_events_of_a_process_come_after_its_start() -> None:
    seen: dict[str, str] = {}
    ended: set[str] = set()
    for e in xml_events():
        guid = e.data.get("ProcessGuid") or e.data.get("SourceProcessGUID")
        if guid is None:
            continue
        if e.code == 1:
            seen[guid] = e.data["Image"]
        else:
            assert guid in seen
            assert seen[guid] == e.data.get("Image", e.data.get("SourceImage"))
            assert guid not in ended
        if e.code == 5:
            ended.add(guid)


def test_times_are_ordered_and_records_numbered() -> None:
    last_time = ""
    last_record: dict[tuple[str, str], int] = {}
    for e in sysmon(xml_events(), 1):
        assert e.data["UtcTime"] >= last_time
        last_time = e.data["UtcTime"]
    for e in xml_events():
        log = (e.system["Computer"], e.system["Channel"])
        record = int(e.system["EventRecordID"])
        assert last_record.get(log, record - 1) == record - 1
        last_record[log] = record


def test_process_ids_are_those_of_windows() -> None:
    live: dict[tuple[str, str], str] = {}
    for e in xml_events():
        if "Sysmon" not in e.system["Channel"] or e.code not in (1, 5):
            continue
        key = (e.system["Computer"], e.data["ProcessId"])
        if e.code == 1:
            assert int(e.data["ProcessId"]) % 4 == 0
            live[key] = e.data["ProcessGuid"]
        else:
            assert live[key] == e.data["ProcessGuid"]


def test_one_file_one_hash() -> None:
    hashes: dict[tuple[str, str], str] = {}
    for e in sysmon(xml_events(), 1):
        image = re.sub(r"^C:\\Users\\[^\\]+", "~", e.data["Image"])
        key = (image, e.data["FileVersion"])
        assert hashes.setdefault(key, e.data["Hashes"]) == e.data["Hashes"]
        assert len(e.data["Hashes"]) == len("MD5=,SHA256=,IMPHASH=") + 32 + 64 + 32


def test_logon_sessions_belong_to_one_user() -> None:
    users: dict[tuple[str, str], tuple[str, str]] = {}
    for e in sysmon(xml_events(), 1):
        key = (e.system["Computer"], e.data["LogonId"])
        value = (e.data["User"], e.data["LogonGuid"])
        assert users.setdefault(key, value) == value
    assert len({u for u, _ in users.values()}) > 5


def test_mix_of_events() -> None:
    share = Counter(e.code for e in xml_events())
    for code, low, high in (
        (1, 0.4, 0.65),
        (3, 0.04, 0.15),
        (5, 0.05, 0.2),
        (7, 0.005, 0.1),
        (10, 0.0005, 0.02),
        (11, 0.05, 0.2),
        (12, 0.002, 0.05),
        (13, 0.01, 0.1),
        (22, 0.03, 0.15),
        (4624, 0.002, 0.05),
        (4688, 0.01, 0.12),
    ):
        assert low < share[code] / EVENTS < high, code


def test_people_work_by_day_and_machines_at_night() -> None:
    by_hour = Counter(int(e.data["UtcTime"][11:13]) for e in sysmon(xml_events(), 1))
    assert min(by_hour[h] for h in (9, 10, 11, 14, 15)) > 2 * max(by_hour[h] for h in (2, 3, 4))
    assert all(by_hour[h] for h in range(2, 20))


def test_values_that_trip_readers_are_there() -> None:
    text = raw("xml")[0].decode()
    commands = [e.data["CommandLine"] for e in sysmon(xml_events(), 1)]
    assert "&amp;" in text
    assert "&gt;" in text
    assert any(">" in c and "&" in c for c in commands)
    assert any("<" in c for c in commands)
    assert any(e.data["Description"] == "-" for e in sysmon(xml_events(), 1))
    assert "®" in text


@pytest.mark.slow
def test_some_hosts_log_no_command_lines() -> None:
    out = io.BytesIO()
    generate(20_000, 2, "4688", out, hosts=80)
    with_command: dict[str, set[bool]] = {}
    for line in out.getvalue().decode().splitlines():
        if "<EventID>4688<" in line:
            host = line.split("<Computer>")[1].split("<")[0]
            with_command.setdefault(host, set()).add("Name='CommandLine'></Data>" not in line)
    assert {frozenset(v) for v in with_command.values()} == {
        frozenset({True}),
        frozenset({False}),
    }


def test_the_wmi_detection_finds_what_the_answers_say() -> None:
    _, answers = raw("xml")
    found = {
        (e.data["ProcessGuid"], e.system["Computer"], e.data["User"], e.data["CommandLine"])
        for e in sysmon(xml_events(), 1)
        if e.data["ParentImage"].lower().endswith("\\wmiprvse.exe")
        and "\\dismhost.exe" not in e.data["CommandLine"]
    }
    expected = {
        (a.process_guid, a.host, a.user, a.process) for a in answers.rows if WMI in a.expect
    }
    assert found == expected
    assert {a.kind for a in answers.rows} == {"attack", "benign", "excluded"}


def test_processes_of_audited_hosts_are_logged_twice() -> None:
    _, answers = raw("xml")
    seen = Counter(
        (e.system["Computer"], int(e.data["NewProcessId"], 16), e.data["CommandLine"])
        for e in xml_events()
        if e.code == 4688
    )
    for a in answers.rows:
        assert a.logged == 1 + seen[a.host, a.process_id, a.process]
    assert answers.expected_rows(WMI) > answers.expected(WMI)


def test_attacks_are_whole_and_in_the_data() -> None:
    _, answers = raw("xml")
    attack = [a for a in answers.rows if a.kind == "attack"]
    assert {a.campaign for a in attack} == {0}
    assert {
        "T1047",
        "T1003.001",
        "T1003.003",
        "T1053.005",
        "T1059.001",
        "T1070.001",
        "T1204.002",
    } <= {a.technique for a in attack}
    by_guid = {e.data["ProcessGuid"]: e for e in sysmon(xml_events(), 1)}
    for a in attack:
        e = by_guid[a.process_guid]
        assert e.data["ProcessId"] == str(a.process_id)
        assert e.data["Image"].endswith("\\" + a.process_name)
        assert e.data["UtcTime"].replace(" ", "T") == a.time.removesuffix("Z")
    dump = _one(attack, "T1003.001")
    access = [
        e for e in sysmon(xml_events(), 10) if e.data["SourceProcessGUID"] == dump.process_guid
    ]
    assert [e.data["TargetImage"] for e in access] == [r"C:\Windows\System32\lsass.exe"]
    assert f"MiniDump {access[0].data['TargetProcessId']} " in dump.process


def test_the_remote_process_has_a_network_logon() -> None:
    _, answers = raw("xml")
    remote = next(a for a in answers.rows if a.label == "process started over WMI")
    process = next(
        e for e in sysmon(xml_events(), 1) if e.data["ProcessGuid"] == remote.process_guid
    )
    logons = [
        e
        for e in xml_events()
        if e.code == 4624
        and e.system["Computer"] == remote.host
        and e.data["TargetLogonId"] == process.data["LogonId"]
    ]
    assert [e.data["LogonType"] for e in logons] == ["3"]
    assert logons[0].system["SystemTime"] < process.system["SystemTime"]


@pytest.mark.slow
def test_evtx_json_is_the_same_day() -> None:
    assert len(json_events()) == len(xml_events())
    for x, j in zip(xml_events(), json_events(), strict=True):
        assert x.code == j.code
        assert x.system["Computer"] == j.system["Computer"]
        assert x.system["EventRecordID"] == j.system["EventRecordID"]
        for name in ("CommandLine", "ProcessId", "UtcTime", "TargetFilename", "QueryName", "User"):
            assert x.data.get(name) == j.data.get(name)
        assert x.data.get("ProcessGuid", "").strip("{}") == j.data.get("ProcessGuid", "")


@pytest.mark.slow
def test_security_log_is_the_same_day() -> None:
    commands = Counter(
        (e.system["Computer"], int(e.data["ProcessId"]), e.data["Image"])
        for e in sysmon(xml_events(), 1)
    )
    seen = Counter(
        (e.system["Computer"], int(e.data["NewProcessId"], 16), e.data["NewProcessName"])
        for e in xml_events("4688")
        if e.code == 4688 and e.system["SystemTime"] < raw("xml")[1].end
    )
    assert seen.total() > 0.4 * EVENTS
    missing = seen - commands
    assert missing.total() <= 1


@pytest.mark.slow
def test_subject_of_4688_is_the_creator() -> None:
    _, answers = raw("4688")
    remote = next(a for a in answers.rows if a.label == "process started over WMI")
    event = next(
        e
        for e in xml_events("4688")
        if e.code == 4688
        and e.data["NewProcessId"] == hex(remote.process_id)
        and e.system["Computer"] == remote.host
        and e.data["CommandLine"] == remote.process
    )
    assert event.data["SubjectUserSid"] == "NT AUTHORITY\\NETWORK SERVICE"
    assert event.data["TargetUserSid"] == remote.user
    assert event.data["ProcessId"] == hex(remote.parent_process_id)
    assert event.data["ParentProcessName"].endswith("WmiPrvSE.exe")


@pytest.mark.slow
def test_falcon_events_hang_together() -> None:
    started: dict[tuple[str, str], str] = {}
    for e in fdr_events():
        assert all(isinstance(v, str) for v in e.values())
        assert float(e["timestamp"]) / 1000 > float(
            e.get("ProcessStartTime") or e["ContextTimeStamp"]
        )
        if e["event_simpleName"] == "ProcessRollup2":
            parent = started.get((e["aid"], e["ParentProcessId"]))
            if e["ParentBaseFileName"] != "System":
                assert parent is not None
                assert parent.endswith("\\" + e["ParentBaseFileName"])
            assert e["ImageFileName"].startswith("\\Device\\HarddiskVolume3\\")
            started[e["aid"], e["TargetProcessId"]] = e["ImageFileName"]
        else:
            assert (e["aid"], e["ContextProcessId"]) in started
    assert len({e["id"] for e in fdr_events()}) == len(fdr_events())


@pytest.mark.slow
def test_falcon_answers() -> None:
    _, answers = raw("fdr")
    found = {
        (e["aid"], e["TargetProcessId"])
        for e in fdr_events()
        if e.get("ParentBaseFileName", "").lower() == "wmiprvse.exe"
        and "\\dismhost.exe" not in e["CommandLine"]
    }
    assert found == {(a.aid, str(a.target_process_id)) for a in answers.rows if WMI in a.expect}


@pytest.mark.slow
def test_without_attacks() -> None:
    out = io.BytesIO()
    answers = generate(5_000, 3, "xml", out, attacks=False)
    assert all(a.kind != "attack" for a in answers.rows)
    assert b"comsvcs" not in out.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("events", [1_000, 1_001, 4_321])
def test_small_logs_hold_an_attack(events: int) -> None:
    answers = generate(events, 5, "xml", io.BytesIO())
    assert answers.events == events
    assert answers.expected(WMI) >= 5


@pytest.mark.slow
def test_more_days_and_weekends() -> None:
    out = io.BytesIO()
    answers = generate(60_000, 5, "xml", out, hosts=5)
    days = Counter(
        line.split(b"UtcTime'>")[1][:10]
        for line in out.getvalue().splitlines()
        if b"<EventID>1<" in line
    )
    assert len(days) >= 3
    assert answers.end > "2024-05-16"


@pytest.mark.parametrize(
    ("events", "format", "start", "code"),
    [
        (999, "xml", DEFAULT_START, "GEN001"),
        (10**10, "xml", DEFAULT_START, "GEN001"),
        (1000, "csv", DEFAULT_START, "GEN002"),
        (1000, "xml", datetime(2024, 1, 1), "GEN003"),
    ],
)
def test_wrong_arguments(events: int, format: str, start: datetime, code: str) -> None:
    with pytest.raises(EscudoError) as caught:
        generate(events, 1, format, io.BytesIO(), start=start)
    assert caught.value.code == code


def test_start_moves_the_day() -> None:
    start = datetime(2026, 3, 2, tzinfo=UTC)
    answers = generate(2_000, 1, "xml", io.BytesIO(), start=start)
    assert answers.start == "2026-03-02T00:00:00.000Z"
    assert answers.rows[0].time.startswith("2026-03-02")


@pytest.mark.slow
def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    generate(2_000, 1, "fdr", io.BytesIO(), progress=lambda *at: told.append(at))
    assert told[-1] == (2_000, 2_000)


def _one(rows: list[Answer], technique: str) -> Answer:
    (row,) = [a for a in rows if a.technique == technique]
    return row
