"""``kill -9`` under load, in a loop: what was acknowledged is in the lake, and everything is there
once. Senders do what shippers do: what was not acknowledged is sent again, as it was, on the same
channel."""

from __future__ import annotations

import json
import random
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.serve.running import RunningServer, run_server
from tests.serve.sending import add_token, read_events

pytestmark = pytest.mark.slow

ROUNDS = 4
EVENTS = 20
"""Events of a post."""


@dataclass
class Sender:
    """Sends numbered events, a post after the other, each until it is acknowledged."""

    name: str
    token: str
    acknowledges: bool
    channel: str = field(default_factory=lambda: str(uuid.uuid4()))
    sent: int = 0
    acknowledged: set[str] = field(default_factory=set)
    waiting: dict[int, tuple[bytes, list[str]]] = field(default_factory=dict)
    again: list[tuple[bytes, list[str]]] = field(default_factory=list)

    def send(self, url: str, until: threading.Event, *, more: bool) -> None:
        """Sends new events, if ``more``; ends when the server has gone, or when all is sent."""
        headers = {
            "Authorization": f"Splunk {self.token}",
            "X-Splunk-Request-Channel": self.channel,
        }
        try:
            with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
                while not until.is_set() and (more or self.again or self.waiting):
                    self._send_one(client, more=more)
        except httpx.TransportError:
            pass
        self.again += self.waiting.values()
        self.waiting.clear()

    def _send_one(self, client: httpx.Client, *, more: bool) -> None:
        if self.again or more:
            body, names = self.again[0] if self.again else self._make()
            if not self.again:
                self.again.append((body, names))
            answer = client.post("/services/collector/event", content=body)
            if answer.status_code == 200:
                self.again.pop(0)
                if self.acknowledges:
                    self.waiting[answer.json()["ackId"]] = (body, names)
                else:
                    self.acknowledged.update(names)
        if self.waiting:
            asked = client.post("/services/collector/ack", json={"acks": [*self.waiting]})
            for number, done in asked.json()["acks"].items():
                if done:
                    self.acknowledged.update(self.waiting.pop(int(number))[1])
            time.sleep(0.02)

    def _make(self) -> tuple[bytes, list[str]]:
        names = [f"{self.name}-{self.sent + n}" for n in range(EVENTS)]
        self.sent += EVENTS
        body = "".join(json.dumps({"event": name, "index": "killed"}) for name in names)
        return body.encode(), names


def test_what_is_acknowledged_is_there_once_whoever_dies(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    senders: list[Sender] = []
    chance = random.Random(17)
    kills = 0
    for _ in range(ROUNDS):
        with run_server(lake, ["--no-schedule"]) as server:
            if not senders:
                for number in range(4):
                    acknowledges = number % 2 == 1
                    token = add_token(lake, f"t{number}", useACK=acknowledges)
                    senders.append(Sender(f"s{number}", token, acknowledges))
            run_senders(server, senders, seconds=chance.uniform(1.0, 4.0))
            server.kill()
            kills += 1
            there = Counter(row["_raw"] for row in read_events(lake, index="killed"))
            lost = set().union(*(s.acknowledged for s in senders)) - there.keys()
            assert not lost, f"{len(lost)} acknowledged events are lost"
            assert not [name for name, times in there.items() if times > 1]
    with run_server(lake, ["--no-schedule"]) as server:
        run_senders(server, senders, seconds=60, more=False)
    there = Counter(row["_raw"] for row in read_events(lake, index="killed"))
    sent = {f"{s.name}-{n}" for s in senders for n in range(s.sent)}
    assert kills == ROUNDS
    assert all(s.acknowledged for s in senders)
    assert set().union(*(s.acknowledged for s in senders)) == sent
    assert there.keys() == sent
    assert set(there.values()) == {1}


def run_senders(
    server: RunningServer, senders: list[Sender], *, seconds: float, more: bool = True
) -> None:
    """All of them at once. With ``more`` the server is killed while they send."""
    stop = threading.Event()
    threads = [
        threading.Thread(target=s.send, args=(server.url, stop), kwargs={"more": more})
        for s in senders
    ]
    for thread in threads:
        thread.start()
    if more:
        time.sleep(seconds)
        server.kill()
    for thread in threads:
        thread.join(seconds + 60)
        assert not thread.is_alive()
