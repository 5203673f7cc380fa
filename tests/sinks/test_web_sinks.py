"""Splunk's collector, webhooks, chat: what they get from servers that fail first."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from escudo.core.errors import EscudoError
from escudo.sinks.dead_letters import DeadLetters
from escudo.sinks.dispatch import Dispatcher
from escudo.sinks.opening import open_sink
from tests.sinks.hostile import make_finding
from tests.sinks.servers import LOST, SLOW, serve_web

FAST = "first_wait=0.01&retry_seconds=60&timeout=3"
TOKEN = "11111111-2222-3333-4444-555555555555"


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESCUDO_HEC_TOKEN", TOKEN)
    monkeypatch.setenv("ESCUDO_WEBHOOK_SECRET", "s3cret")


def read_events(body: bytes) -> list[dict[str, Any]]:
    """The JSON objects of a body, one behind the other."""
    decoder, text, out = json.JSONDecoder(), body.decode(), []
    while text:
        event, end = decoder.raw_decode(text)
        out.append(event)
        text = text[end:]
    return out


@pytest.mark.slow
def test_a_collector_that_fails_gets_each_finding_once_it_works() -> None:
    findings = [make_finding(n) for n in range(3)]
    with serve_web([500, 503, LOST, SLOW, 429]) as server:
        sink = open_sink(f"hec+{server.url}#index=main&sourcetype=st&{FAST}")
        assert sink.send(findings).sent == 3
        sink.close()
        (request,) = [r for r in server.taken if r is server.taken[-1]]
        assert len(server.requests) == 6
    assert request.path == "/services/collector/event"
    assert request.headers["authorization"] == f"Splunk {TOKEN}"
    events = read_events(request.body)
    assert [e["event"]["finding_id"] for e in events] == ["id0", "id1", "id2"]
    first = events[0]
    assert (first["index"], first["sourcetype"], first["host"]) == ("main", "st", "pc0")
    assert first["source"] == "ESCU - Process Execution via WMI - Rule"
    assert first["time"] == 1795946400.25


def test_a_collector_is_asked_until_it_has_indexed() -> None:
    reply = {"text": "Success", "code": 0, "ackId": 7}
    with serve_web([], reply=reply, acks=[False, False, True]) as server:
        sink = open_sink(f"hec+{server.url}#ack=true&{FAST}")
        sink.sleep = lambda _seconds: None  # type: ignore[attr-defined]
        assert sink.send([make_finding()]).complete
        paths = [r.path for r in server.requests]
    channel = server.requests[0].headers["x-splunk-request-channel"]
    assert paths[1:] == [f"/services/collector/ack?channel={channel}"] * 3
    assert server.requests[1].json == {"acks": [7]}


def test_a_collector_without_acknowledgment_is_told() -> None:
    with serve_web([]) as server:
        sink = open_sink(f"hec+{server.url}#ack=true&{FAST}")
        delivery = sink.send([make_finding()])
    assert delivery.failed == 1
    assert "acknowledgment is off" in delivery.failures[0].reason


def test_a_collector_that_refuses_is_not_asked_again() -> None:
    with serve_web([403]) as server:
        delivery = open_sink(f"hec+{server.url}#{FAST}").send([make_finding()])
        assert len(server.requests) == 1
    assert delivery.failures[0].reason.startswith("HTTP 403")


def test_a_large_number_of_findings_is_cut_into_requests() -> None:
    findings = [make_finding(n, message="x" * 2000) for n in range(1200)]
    with serve_web([]) as server:
        assert open_sink(f"hec+{server.url}#{FAST}").send(findings).sent == 1200
        sizes = [len(r.body) for r in server.taken]
        names = [e["event"]["finding_id"] for r in server.taken for e in read_events(r.body)]
    assert len(sizes) > 2
    assert max(sizes) < 1_000_000
    assert names == [f["finding_id"] for f in findings]


def test_a_webhook_is_signed() -> None:
    """The signature is what the receiver computes by the documentation alone."""
    with serve_web([503]) as server:
        sink = open_sink(f"{server.url}/hook?key=1#batch=2&{FAST}")
        assert sink.send([make_finding(n) for n in range(3)]).sent == 3
        taken = server.taken
    assert [[f["finding_id"] for f in r.json["findings"]] for r in taken] == [
        ["id0", "id1"],
        ["id2"],
    ]
    request = taken[0]
    assert request.path == "/hook?key=1"
    signed = request.headers["x-escudo-timestamp"].encode() + b"." + request.body
    expected = hmac.new(b"s3cret", signed, hashlib.sha256).hexdigest()
    assert request.headers["x-escudo-signature"] == f"sha256={expected}"


def test_a_redirect_is_not_followed() -> None:
    with serve_web([307]) as server:
        delivery = open_sink(f"{server.url}/hook#{FAST}").send([make_finding()])
    assert delivery.failures[0].reason.startswith("HTTP 307")


def test_chat_goes_through_apprise() -> None:
    pytest.importorskip("apprise")
    findings = [make_finding(n, message="<b>bold</b>\n@channel") for n in range(12)]
    with serve_web([]) as server:
        sink = open_sink(f"apprise+json://127.0.0.1:{server.port}/room")
        assert sink.send(findings).sent == 12
        bodies = [r.json for r in server.taken]
    assert [b["title"] for b in bodies] == [
        "Process Execution via WMI: 10 findings",
        "Process Execution via WMI: 2 findings",
    ]
    assert bodies[0]["message"].count("\n") == 9


def test_what_is_not_taken_is_a_dead_letter_and_others_get_theirs(tmp_path: Path) -> None:
    letters = tmp_path / "dead.jsonl"
    with serve_web([400] * 9) as bad, serve_web([]) as good:
        sinks = [open_sink(f"{s.url}/hook#{FAST}") for s in (bad, good)]
        with Dispatcher(sinks, letters) as dispatcher:
            refused, taken = dispatcher.send([make_finding(1), make_finding(2)])
        assert (refused.failed, taken.sent) == (2, 2)
        with DeadLetters(letters).take() as (held, left):
            left += held
    assert [(x.sink, x.finding["finding_id"]) for x in held] == [
        (sinks[0].name, "id1"),
        (sinks[0].name, "id2"),
    ]
    assert "HTTP 400" in held[0].reason


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("gopher://x", "SNK001", "no sink is of the kind 'gopher'"),
        ("hec+https://", "SNK001", "no host"),
        ("syslog://", "SNK001", "no host"),
        ("https://h/x#colour=red", "SNK002", "no option is called 'colour'"),
        ("https://h/x#timeout=soon", "SNK002", "timeout is a number above 0"),
        ("https://h/x#verify=perhaps", "SNK002", "verify is true or false"),
        ("hec+https://h#format=xml", "SNK002", "format is one of escudo, ocsf"),
        ("hec+https://h#token_env=NOT_THERE", "SNK003", "$NOT_THERE is not set"),
    ],
)
def test_a_sink_that_is_wrong_says_why(text: str, code: str, says: str) -> None:
    with pytest.raises(EscudoError) as raised:
        open_sink(text)
    assert raised.value.code == code
    assert says in raised.value.diagnostic.message


@pytest.mark.parametrize(
    "text", ["https://ann:pw@h/services/pw", "hec+https://pw@h:8088", "apprise+json://h/pw"]
)
def test_a_name_shows_no_secret(text: str) -> None:
    assert "pw" not in open_sink(text).name
