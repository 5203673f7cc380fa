"""The APIs of the language, detections and sources, and dashboards kept, through a real server."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.serve.pages_search.conftest import EVENTS, START
from tests.serve.running import RunningServer

pytestmark = pytest.mark.slow

WMI = "24869767-8579-485d-9a4f-d9ddfd8f0cac"


def _complete(client: httpx.Client, search: str) -> list[dict[str, object]]:
    asked = {"search": search, "cursor": len(search)}
    answer = client.post("/api/language/complete", json=asked)
    assert answer.status_code == 200
    items: list[dict[str, object]] = answer.json()["items"]
    return items


@pytest.mark.parametrize(
    ("search", "proposed"),
    [
        ("index=* | timec", {"text": "timechart", "start": 10, "kind": "command"}),
        ("index=* | dedup keepev", {"text": "keepevents=", "start": 16, "kind": "option"}),
        ("index=* CommandL", {"text": "CommandLine", "start": 8, "kind": "field"}),
        ("index=wind", {"text": "windows", "start": 6, "kind": "value"}),
        (
            "`security_content_summ",
            {"text": "security_content_summariesonly`", "start": 1, "kind": "macro"},
        ),
        (
            "| tstats count from datamodel=Endpoint.Proc",
            {"text": "Endpoint.Processes", "start": 30, "kind": "dataset"},
        ),
    ],
)
def test_what_may_come_next_is_of_the_lake_and_the_language(
    engineer: httpx.Client, search: str, proposed: dict[str, object]
) -> None:
    first = _complete(engineer, search)[0]
    assert {name: first[name] for name in proposed} == proposed


def test_only_what_stands_before_the_cursor_counts(engineer: httpx.Client) -> None:
    answer = engineer.post("/api/language/complete", json={"search": "| mak | stats", "cursor": 5})
    assert "makeresults" in [item["text"] for item in answer.json()["items"]]


def test_the_words_of_the_language_are_those_of_the_parser(engineer: httpx.Client) -> None:
    language = engineer.get("/api/language").json()
    commands = {command["name"]: command for command in language["commands"]}
    assert commands["tstats"]["starts"] is True
    assert "span" in {option["name"] for option in commands["timechart"]["options"]}
    assert "cidrmatch" in {function["name"] for function in language["functions"]}
    assert "dc" in {function["name"] for function in language["statistics"]}


def test_sources_are_counted_in_equal_parts(engineer: httpx.Client) -> None:
    answer = engineer.get("/api/sources", params={"by": "host", "window": "all"}).json()
    (row,) = answer["rows"]
    assert (row["name"], row["events"], sum(row["counts"])) == ("pc1", EVENTS, EVENTS)
    assert (row["first"], row["last"]) == (START, START + EVENTS - 1)
    # An event a second: each of the 96 parts of the five minutes has some, none is silent.
    assert min(row["counts"]) >= 3
    assert row["gap"] == 0
    assert row["unmapped"] == 0
    assert row["lag"] == pytest.approx(time.time() - row["last"], abs=60)


def test_a_window_without_events_has_no_source_and_one_without_a_name_is_refused(
    engineer: httpx.Client,
) -> None:
    assert engineer.get("/api/sources", params={"window": "1h"}).json()["rows"] == []
    assert engineer.get("/api/sources").json()["window"] == "all"
    refused = engineer.get("/api/sources", params={"window": "2h"})
    assert (refused.status_code, refused.json()["messages"][0]["code"]) == (400, "SRV070")


def test_nothing_was_rejected(engineer: httpx.Client) -> None:
    assert engineer.get("/api/sources/rejected").json() == {"total": 0, "files": [], "reasons": []}


def test_the_catalogue_says_whether_data_is_here(engineer: httpx.Client) -> None:
    rows = {row["id"]: row for row in engineer.get("/api/detections").json()}
    wmi = rows[WMI]
    assert wmi["data"] == "here"
    assert {"name": "Endpoint.Processes", "origin": "endpoint_processes", "state": "here"} in wmi[
        "needs"
    ]
    assert (wmi["enabled"], wmi["tests"], wmi["last_run"]) == (True, 3, None)
    assert wmi["schedule"]["cron"] == "0 * * * *"
    assert engineer.get("/api/detections/Process Execution via WMI").json() == wmi
    assert engineer.get("/api/detections/no such one").status_code == 404


def test_only_who_may_tune_changes_detections_and_it_is_written_down(
    engineer: httpx.Client, site: RunningServer
) -> None:
    address = f"/api/detections/{WMI}"
    with site.client("analyst") as analyst:
        assert analyst.patch(address, json={"enabled": False}).status_code == 403
        assert analyst.post(f"{address}/tests").status_code == 403
    when = {"cron": "*/9 * * * *", "earliest": "-30m@m", "latest": "now"}
    changed = engineer.patch(address, json={"enabled": False, "schedule": when}).json()
    assert (changed["enabled"], changed["schedule"]) == (False, when)
    back = engineer.patch(address, json={"reset": True}).json()
    assert (back["enabled"], back["schedule"]["cron"]) == (True, "0 * * * *")
    refused = engineer.patch(address, json={"schedule": {**when, "cron": "often"}})
    assert (refused.status_code, refused.json()["messages"][0]["code"]) == (400, "SRV071")


def test_tests_are_stopped(engineer: httpx.Client) -> None:
    run = engineer.post(f"/api/detections/{WMI}/tests").json()
    assert (run["state"], run["total"]) == ("running", 3)
    assert engineer.delete(f"/api/test-runs/{run['run']}").status_code == 204
    for _ in range(100):
        run = engineer.get(f"/api/test-runs/{run['run']}").json()
        if run["state"] != "running":
            break
        time.sleep(0.1)
    assert run["state"] == "stopped"
    assert engineer.get("/api/test-runs/none").status_code == 404


def test_the_matrix_and_its_layer_have_the_technique(engineer: httpx.Client) -> None:
    tactics = {tactic["id"]: tactic for tactic in engineer.get("/api/attack").json()}
    execution = {t["id"]: t for t in tactics["TA0002"]["techniques"]}
    assert execution["T1047"]["coverage"] == "covered"
    assert execution["T1047"]["detections"] == ["Process Execution via WMI"]
    assert execution["T1059"]["coverage"] == "none"
    layer = engineer.get("/api/attack/layer").json()
    assert [t["techniqueID"] for t in layer["techniques"]] == ["T1047"]


def test_a_dashboard_is_its_owners(engineer: httpx.Client, site: RunningServer) -> None:
    with site.client("viewer") as viewer, site.client("analyst") as analyst:
        made = viewer.post("/dashboards", data={"name": "Mine", "about": "of a viewer"})
        assert (made.status_code, made.headers["location"]) == (303, "/dashboards/Mine")
        again = analyst.post("/dashboards", data={"name": "Mine"})
        assert (again.status_code, again.json()["messages"][0]["code"]) == (400, "SRV074")
        panel = {"title": "All", "search": "index=*", "show": "table"}
        assert analyst.post("/dashboards/Mine/panels", data=panel).status_code == 403
        assert viewer.post("/dashboards/Mine/panels", data=panel).status_code == 303
        wrong = {**panel, "show": "pie"}
        assert viewer.post("/dashboards/Mine/panels", data=wrong).status_code == 400
        assert "of a viewer" in analyst.get("/dashboards/Mine").text
        assert analyst.post("/dashboards/Mine/remove").status_code == 403
        assert engineer.post("/dashboards/Mine/remove").status_code == 303
        assert analyst.get("/dashboards/Mine").status_code == 404
