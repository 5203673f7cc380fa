"""Findings by their API: who may change them, and what is written down of it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest

from escudo.lake import Lake
from escudo.schedule.database import FILE, State
from escudo.serve.accounts.audit import Audit
from tests.serve.conftest import make_users
from tests.serve.running import RunningServer, run_server
from tests.triage.four_findings import HOUR, write_findings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server over four findings."""
    path = tmp_path_factory.mktemp("findings") / "lake"
    with Lake.open(path, create=True) as lake:
        write_findings(lake)
    limits = path.with_name("limits.toml")
    limits.write_text("[roles.analyst]\nrows = 4\nseconds = 2\n")
    with run_server(path, ["--no-schedule", "--limits", str(limits)]) as running:
        make_users(path)
        yield running


def _list_ids(answer: httpx.Response) -> str:
    return "".join(finding["id"] for finding in answer.json()["findings"])


def test_findings_are_listed_filtered_and_sorted(served: RunningServer) -> None:
    with served.client("viewer") as client:
        assert _list_ids(client.get("/api/findings")) == "cabd"
        asked = {"severity": ["high", "low"], "sort": "oldest"}
        assert _list_ids(client.get("/api/findings", params=asked)) == "ad"
        page = client.get("/api/findings", params={"sort": "oldest", "offset": 1, "count": 2})
        assert (_list_ids(page), page.json()["total"]) == ("bc", 4)
        assert client.get("/api/findings", params={"sort": "1; DROP"}).status_code == 422
        one = client.get("/api/findings/a").json()["finding"]
        assert one["objects"] == [
            {"kind": "system", "name": "DC01.corp"},
            {"kind": "user", "name": "CORP\\ana"},
        ]
        gone = client.get("/api/findings/none")
        assert (gone.status_code, gone.json()["messages"][0]["code"]) == (404, "TRI005")


def test_a_change_needs_the_right_and_is_written_down(served: RunningServer) -> None:
    edit = {"ids": ["a", "b"], "status": "closed", "comment": "Both are a test."}
    with served.client("viewer") as client:
        assert client.post("/api/findings/edit", json=edit).status_code == 403
    with served.client("analyst") as client:
        states = client.post("/api/findings/edit", json=edit).json()
        assert {s["status"] for s in states.values()} == {"closed"}
        assert client.get("/api/findings").json()["total"] == 2
        history = client.get("/api/findings/b").json()["history"]
        assert [(h["who"], h["changes"], h["comment"]) for h in history] == [
            ("analyst", {"status": ["new", "closed"]}, "Both are a test.")
        ]
        stale = {"ids": ["a"], "status": "new", "revisions": {"a": 0}}
        assert client.post("/api/findings/edit", json=stale).status_code == 409
        partly = {"ids": ["a", "none"], "status": "new"}
        assert client.post("/api/findings/edit", json=partly).status_code == 404
        assert client.get("/api/findings/a").json()["finding"]["status"] == "closed"
        wrong = client.post("/api/findings/edit", json={"ids": ["a"], "status": "done"})
        assert wrong.json()["messages"][0]["code"] == "TRI001"
    with State.open(served.lake / FILE) as state:
        entries = Audit(state, clock=time.time).list()
    (noted,) = [e for e in entries if e.action == "change findings"]
    assert (noted.who, noted.target, noted.detail["status"]) == ("analyst", "a, b", "closed")
    (refused,) = [e for e in entries if e.target == "POST /api/findings/edit"]
    assert (refused.who, refused.outcome) == ("viewer", "refused")


def test_drilldowns_keep_to_what_a_role_may_have(served: RunningServer) -> None:
    with served.client("engineer") as client:
        five = client.get("/api/findings/a/drilldowns/0", params={"count": 3}).json()
        assert (len(five["rows"]), five["total"], five["cut"], five["problem"]) == (
            3,
            5,
            False,
            None,
        )
        assert five["rows"][0]["now"] == HOUR  # the clock of a drilldown is that of its finding
        assert "nosuchcommand" in client.get("/api/findings/a/drilldowns/1").json()["problem"]
        assert "soon" in client.get("/api/findings/a/drilldowns/2").json()["problem"]
    with served.client("analyst") as client:
        four = client.get("/api/findings/a/drilldowns/0").json()
        assert (len(four["rows"]), four["total"], four["cut"]) == (4, 4, True)
        long = client.get("/api/findings/a/drilldowns/3").json()
        assert (long["rows"], long["problem"]) == ([], "it ran for 2 seconds")
        assert client.get("/api/searches").json() == []


def test_a_drilldown_that_is_not_there_is_told(served: RunningServer) -> None:
    with served.client("analyst") as client:
        assert client.get("/api/findings/a/drilldowns/7").status_code == 404
        evidence = client.get("/api/findings/a/evidence").json()
        assert evidence["problem"] == "The detection is not in the content any more."
