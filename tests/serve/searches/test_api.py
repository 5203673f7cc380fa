"""The JSON API of searches, over a real server."""

from __future__ import annotations

import csv
import io
import time

import httpx
import pytest

from escudo.schedule.database import FILE, State
from escudo.serve.exclusions import add_exclusion, remove_exclusion
from tests.serve.events import EVENTS
from tests.serve.running import RunningServer

pytestmark = pytest.mark.slow

ENDLESS = (
    '| makeresults count=4000000 | eval x="aaaaaaaaaaaaaaa!" | regex x="^(?=a)(a|a|aa)+$"'
    " | stats count"
)
"""It takes minutes, and little memory: a regular expression that backtracks."""


def start(client: httpx.Client, search: str, **asked: object) -> str:
    answer = client.post("/api/searches", json={"search": search, **asked})
    assert answer.status_code == 201, answer.text
    sid: str = answer.json()["sid"]
    return sid


def finish(client: httpx.Client, sid: str) -> dict[str, object]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        status: dict[str, object] = client.get(f"/api/searches/{sid}").json()
        if status["state"] not in ("queued", "running"):
            return status
        time.sleep(0.1)
    raise AssertionError(status)


def test_a_search_from_start_to_end(searching: RunningServer) -> None:
    with searching.client("analyst") as client:
        sid = start(client, "index=* EventID=1", earliest="0", latest="now")
        status = finish(client, sid)
        assert status["state"] == "done"
        assert status["messages"] == []
        assert status["events"] == status["rows"]
        page = client.get(f"/api/searches/{sid}/rows", params={"offset": 1, "count": 2}).json()
        assert len(page["rows"]) == 2
        first = dict(zip(page["fields"], page["rows"][0], strict=True))
        assert first["Image"]
        assert first["_time"] > 1_700_000_000
        timeline = client.get(f"/api/searches/{sid}/timeline").json()
        assert timeline["complete"]
        assert sum(bucket["count"] for bucket in timeline["buckets"]) == status["rows"]
        fields = {
            field["name"]: field for field in client.get(f"/api/searches/{sid}/fields").json()
        }
        assert fields["EventID"]["top"] == [{"value": "1", "count": status["rows"]}]
        assert fields["EventID"]["numeric"]
        assert fields["EventID"]["mean"] == 1
        assert not fields["Image"]["numeric"]
        assert fields["Image"]["distinct"] >= len(fields["Image"]["top"]) > 1
        assert client.delete(f"/api/searches/{sid}").status_code == 204
        assert client.get(f"/api/searches/{sid}").status_code == 404


def test_a_search_sees_macros_that_were_tuned_since_the_start(searching: RunningServer) -> None:
    search = (
        '| makeresults count=2 | streamstats count as n | eval dest="lab-".n'
        " | `process_execution_via_wmi_filter` | table dest"
    )
    with searching.client("analyst") as client, State.open(searching.lake / FILE) as state:

        def find() -> list[list[str]]:
            sid = start(client, search)
            finish(client, sid)
            rows: list[list[str]] = client.get(f"/api/searches/{sid}/rows").json()["rows"]
            return rows

        assert find() == [["lab-1"], ["lab-2"]]
        kept = add_exclusion(
            state,
            detection="Process Execution via WMI",
            fields={"dest": "lab-1"},
            author="ana",
            reason="a lab",
            now=time.time(),
            expires=None,
        )
        assert find() == [["lab-2"]]
        remove_exclusion(state, kept.id)
        assert find() == [["lab-1"], ["lab-2"]]


def test_rows_are_exported(searching: RunningServer) -> None:
    search = '| makeresults count=2 | eval a="=1+1", b=split("x,y", ","), c=2.5 | table a b c'
    with searching.client("viewer") as client:
        sid = start(client, search)
        finish(client, sid)
        export = f"/api/searches/{sid}/export"
        rows = list(csv.reader(io.StringIO(client.get(export, params={"format": "csv"}).text)))
        assert rows == [["a", "b", "c"], ["'=1+1", "x\ny", "2.5"], ["'=1+1", "x\ny", "2.5"]]
        objects = [{"a": "=1+1", "b": ["x", "y"], "c": 2.5}] * 2
        assert client.get(export, params={"format": "json"}).json() == objects
        lines = client.get(export, params={"format": "jsonl"}).text.splitlines()
        assert len(lines) == 2
        assert client.get(export, params={"format": "xlsx"}).status_code == 422


def test_what_is_wrong_is_told_before_and_after_it_runs(searching: RunningServer) -> None:
    with searching.client("viewer") as client:
        told = client.post("/api/searches/check", json={"search": "index=* | statz count"}).json()
        assert [(m["code"], m["line"], m["column"]) for m in told] == [("SPL101", 1, 11)]
        assert "stats" in told[0]["help"]
        status = finish(client, start(client, "index=* | statz count"))
        assert status["state"] == "failed"
        assert status["messages"] == told
        answer = client.post("/api/searches", json={"search": "*", "earliest": "soonish"})
        assert answer.status_code == 400
        assert answer.json()["messages"][0]["code"] == "SPL120"


def test_searches_are_their_owners_and_need_a_log_in(searching: RunningServer) -> None:
    with searching.client("viewer") as client:
        sid = start(client, "| makeresults")
        finish(client, sid)
        assert sid in [row["sid"] for row in client.get("/api/searches").json()]
    with searching.client("analyst") as client:
        for path in ("", "/rows", "/timeline", "/fields", "/export"):
            assert client.get(f"/api/searches/{sid}{path}").status_code == 404
        assert client.delete(f"/api/searches/{sid}").status_code == 404
        assert client.post(f"/api/searches/{sid}/finalize").status_code == 404
    assert httpx.post(f"{searching.url}/api/searches", json={"search": "*"}).status_code == 401


def test_a_running_search_is_finalized(searching: RunningServer) -> None:
    with searching.client("engineer") as client:
        sid = start(client, ENDLESS)
        status = client.post(f"/api/searches/{sid}/finalize").json()
        assert status["state"] == "done", status["messages"]
        assert status["rows"] == 0


def test_a_limit_is_kept(searching: RunningServer) -> None:
    with searching.client("viewer") as client:
        status = finish(client, start(client, "index=*", limit=EVENTS // 2))
        assert status["rows"] == EVENTS // 2
        assert status["cut"] is True


def test_a_search_that_changes_something_stands_in_the_audit_log(searching: RunningServer) -> None:
    search = "| makeresults | eval a=1 | table a | outputlookup audited.csv"
    with searching.client("engineer") as client:
        done = start(client, search)
        assert finish(client, done)["state"] == "done"
        assert finish(client, start(client, "| inputlookup audited.csv"))["state"] == "done"
    with searching.client("viewer") as client:
        refused = start(client, search)
        assert finish(client, refused)["state"] == "failed"
    with searching.client("admin") as client:
        newest, before = client.get("/api/audit", params={"action": "search", "most": 2}).json()
    assert (before["who"], before["outcome"], before["target"]) == ("engineer", "done", search)
    assert before["detail"] == {"sid": done, "changes": ["1 rows went to lookup audited.csv"]}
    assert (newest["who"], newest["outcome"], newest["detail"]["sid"]) == (
        "viewer",
        "refused",
        refused,
    )
    assert {newest["address"], before["address"]} == {"127.0.0.1"}


def test_searches_are_saved(searching: RunningServer) -> None:
    saved = {"name": "mine", "search": "| makeresults | eval a=5 | table a", "earliest": "-1d"}
    path = "/api/saved-searches"
    with searching.client("viewer") as client, searching.client("engineer") as engineer:
        made = client.post(path, json=saved)
        assert made.status_code == 201
        assert made.json()["owner"] == "viewer"
        assert client.post(path, json={**saved, "shared": True}).status_code == 403
        assert engineer.get(path).json() == []
        assert engineer.post(path, json={**saved, "name": "all", "shared": True}).is_success
        assert [row["name"] for row in client.get(path).json()] == ["all", "mine"]
        status = finish(client, sid := start(client, "| savedsearch mine"))
        assert status["state"] == "done"
        assert client.get(f"/api/searches/{sid}/rows").json()["rows"] == [[5]]
        assert client.delete(f"{path}/all").status_code == 403
        assert engineer.delete(f"{path}/all").status_code == 204
        assert client.delete(f"{path}/mine").status_code == 204
        assert client.delete(f"{path}/mine").status_code == 404
        assert client.post(path, json={**saved, "name": "a\nb"}).status_code == 400
