"""splunk-sdk as a client: what its scripts do is done."""

from __future__ import annotations

import io
import json
import time
from xml.etree import ElementTree as ET

import httpx
import pytest
from splunklib import results
from splunklib.binding import AuthenticationError, HTTPError
from splunklib.client import Service

from tests.serve.events import EVENTS
from tests.serve.running import PASSWORD, RunningServer
from tests.serve.splunk.conftest import connect

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:ResultsReader is deprecated"),
]

FEW = "search index=windows EventID=1 | head 5 | table _time, host, Image"


def read_json(stream: object) -> list[dict[str, object]]:
    return [row for row in results.JSONResultsReader(stream) if isinstance(row, dict)]


def test_it_logs_in_by_password_cookie_session_and_token(splunk: RunningServer) -> None:
    service = connect(splunk, "analyst")
    assert service.info["version"].startswith("9.")
    assert service.username == "analyst"
    again = connect(splunk, token=service.token)
    assert "search" in [app.name for app in again.apps]
    cookies = "; ".join(f"{k}={v}" for k, v in service.http._cookies.items())
    assert cookies.startswith("splunkd_")
    assert connect(splunk, cookie=cookies).info["serverName"] == "escudo"
    with pytest.raises(AuthenticationError):
        connect(splunk, "analyst", autologin=False).__class__(
            host="127.0.0.1", port=service.port, username="analyst", password="wrong"
        ).login()


def test_who_is_not_logged_in_is_told_so(splunk: RunningServer) -> None:
    for params in ({}, {"output_mode": "json"}):
        answer = httpx.get(f"{splunk.url}/services/search/jobs", params=params, verify=False)
        assert answer.status_code == 401
        assert "not properly authenticated" in answer.text
    login = f"{splunk.url}/services/auth/login"
    given = {"username": "analyst", "password": PASSWORD, "output_mode": "json"}
    key = httpx.post(login, data=given, verify=False).json()["sessionKey"]
    for scheme in ("Splunk", "Bearer"):
        headers = {"Authorization": f"{scheme} {key}"}
        context = f"{splunk.url}/services/authentication/current-context?output_mode=json"
        entry = httpx.get(context, headers=headers, verify=False).json()["entry"][0]
        assert entry["content"]["username"] == "analyst"


def test_a_normal_job(service: Service) -> None:
    job = service.jobs.create("search index=windows", max_count=1000)
    while not job.is_done():
        time.sleep(0.1)
    assert job["resultCount"] == "1000"
    assert job["isFailed"] == "0"
    assert float(job["runDuration"]) > 0
    rows = read_json(job.results(output_mode="json", count=0))
    assert len(rows) == 1000
    page = read_json(job.results(output_mode="json", count=10, offset=985, f=["host", "_raw"]))
    assert [set(row) for row in page] == [{"host", "_raw"}] * 10
    assert [row["host"] for row in page] == [row["host"] for row in rows[985:995]]
    assert len(read_json(job.events(output_mode="json", count=3))) == 3
    assert job.sid in [one.sid for one in service.jobs]
    assert "timeline" in job.timeline().read().decode()
    fields = ET.fromstring(job.summary().read())
    assert "EventID" in [field.get("k") for field in fields.iter("field")]
    job.touch().set_ttl(1200)
    assert "INFO" in job.searchlog().read().decode()
    job.cancel()
    with pytest.raises(HTTPError, match="404"):
        service.job(job.sid)


def test_a_blocking_job_and_its_forms(service: Service) -> None:
    job = service.jobs.create(FEW, exec_mode="blocking")
    assert job["resultCount"] == "5"
    assert job["dispatchState"] == "DONE"
    as_json = read_json(job.results(output_mode="json"))
    assert [*as_json[0]] == ["_time", "host", "Image"]
    assert str(as_json[0]["_time"]).endswith("+00:00")
    with_xml = [
        dict(row)
        for row in results.ResultsReader(io.BytesIO(job.results(output_mode="xml").read()))
    ]
    assert with_xml == as_json
    lines = job.results(output_mode="csv").read().decode().splitlines()
    assert lines[0] == "_time,host,Image"
    assert len(lines) == 6
    rows = json.loads(job.results(output_mode="json_rows").read())
    columns = json.loads(job.results(output_mode="json_cols").read())
    assert rows["fields"] == columns["fields"] == ["_time", "host", "Image"]
    assert [list(row) for row in zip(*columns["columns"], strict=True)] == rows["rows"]
    after = read_json(job.results(output_mode="json", search="stats count"))
    assert after == [{"count": "5"}]
    preview = job.preview(output_mode="json").read()
    assert len(json.loads(preview)["results"]) == 5
    with pytest.raises(HTTPError, match="400"):
        job.results(output_mode="yaml")


def test_oneshot_and_export(service: Service) -> None:
    assert len(read_json(service.jobs.oneshot(FEW, output_mode="json"))) == 5
    stream = service.jobs.export("search index=* | table _time host", output_mode="json")
    rows = read_json(stream)
    assert len(rows) == EVENTS + 3
    text = service.jobs.export(FEW, output_mode="csv").read().decode()
    assert len(text.splitlines()) == 6
    read = results.ResultsReader(io.BytesIO(service.jobs.export(FEW, output_mode="xml").read()))
    assert len([*read]) == 5
    nothing = service.jobs.export("search index=none", output_mode="json")
    assert read_json(nothing) == []


def test_times_of_a_job(service: Service) -> None:
    assert read_json(service.jobs.oneshot(FEW, output_mode="json", latest_time="1970-01-02")) == []
    events = service.jobs.oneshot(FEW, output_mode="json", earliest_time="0", latest_time="now")
    assert len(read_json(events)) == 5


def test_a_job_is_paused_and_finalized(service: Service) -> None:
    job = service.jobs.create(
        "| makeresults count=50000 | eval k=1 | join max=0 k [| makeresults count=50000"
        " | eval k=1] | eval a=random() | stats max(a)"
    )
    job.pause()
    job.unpause()
    job.finalize()
    job.refresh()
    assert job["isFinalized"] == "1"
    assert job.is_done()


def test_what_is_wrong_with_a_search_is_told(service: Service) -> None:
    for mode in ("blocking", "oneshot"):
        with pytest.raises(HTTPError, match="SPL101"):
            service.jobs.create("search index=* | statz count", exec_mode=mode) if (
                mode == "blocking"
            ) else service.jobs.oneshot("search index=* | statz count")
    with pytest.raises(HTTPError, match="SPL120"):
        service.jobs.create("search *", earliest_time="soonish")
    job = service.jobs.create("search index=* | statz count")
    while not job.is_done():
        time.sleep(0.1)
    assert job["isFailed"] == "1"
    with pytest.raises(HTTPError, match="Unknown sid"):
        service.job("nothing")
    with pytest.raises(HTTPError, match="404"):
        service.get("no/such/thing")


def test_saved_searches(service: Service, splunk: RunningServer) -> None:
    saved = service.saved_searches.create("Mine & <yours>", FEW, description='a "b" < c')
    assert saved["search"] == FEW
    assert saved["description"] == 'a "b" < c'
    assert saved.access["owner"] == "admin"
    saved.update(search="| makeresults | eval a=1 | table a", cron_schedule="5 * * * *")
    saved.refresh()
    assert saved["cron_schedule"] == "5 * * * *"
    saved.disable()
    assert saved.refresh()["disabled"] == "1"
    saved.enable()
    assert saved.refresh()["disabled"] == "0"
    job = saved.dispatch()
    while not job.is_done():
        time.sleep(0.1)
    assert read_json(job.results(output_mode="json")) == [{"a": "1"}]
    assert [one.sid for one in saved.history()] == [job.sid]
    with pytest.raises(HTTPError, match="409"):
        service.saved_searches.create("Mine & <yours>", FEW)
    assert "Mine & <yours>" not in [s.name for s in connect(splunk, "viewer").saved_searches]
    named = read_json(service.jobs.oneshot('| savedsearch "Mine & <yours>"', output_mode="json"))
    assert named == [{"a": "1"}]
    service.saved_searches.delete("Mine & <yours>")
    assert "Mine & <yours>" not in service.saved_searches


def test_detections_are_saved_searches_and_make_risk_and_findings(service: Service) -> None:
    name = "ESCU - Process Execution via WMI - Rule"
    saved = service.saved_searches[name]
    assert saved["action.risk"] == "1"
    assert json.loads(saved["action.risk.param._risk"])
    times = {"dispatch.earliest_time": "0", "dispatch.latest_time": "now"}
    saved.update(**times)
    job = saved.refresh().dispatch(trigger_actions=True)
    while not job.is_done():
        time.sleep(0.1)
    assert int(job["resultCount"]) > 0
    found = f'search index=risk search_name="{name}" orig_sid="{job.sid}"'
    shown = "table risk_object risk_score contributing_events_search"
    risk = read_json(service.jobs.oneshot(f"{found} | {shown}", output_mode="json"))
    assert risk
    behind = f'| savedsearch "{name}" | search '
    assert str(risk[0]["contributing_events_search"]).startswith(behind)
    with pytest.raises(HTTPError, match="403"):
        service.delete(f"saved/searches/{name}", owner="nobody", app="DA-ESS-ContentUpdate")


def test_indexes_and_inputs(service: Service, splunk: RunningServer) -> None:
    index = service.indexes.create("contentctl_testing_index")
    assert index.name in [one.name for one in service.indexes]
    assert "windows" in [one.name for one in service.indexes]
    with pytest.raises(HTTPError, match="already exists"):
        service.indexes.create("contentctl_testing_index")
    with pytest.raises(HTTPError, match="400"):
        service.indexes.create("../x")
    with pytest.raises(HTTPError, match="403"):
        connect(splunk, "engineer").indexes.create("other")
    service.indexes.delete("contentctl_testing_index")
    made = service.post(
        "data/inputs/http", name="tests", index="main", indexes="main,windows", useACK=True
    )
    assert made.status == 201
    shown = service.get("data/inputs/http/http%253A%252F%252Ftests", output_mode="json")
    content = json.loads(shown.body.read())["entry"][0]["content"]
    assert len(content["token"]) == 36
    assert content["indexes"] == ["main", "windows"]
    assert content["useACK"] is True
    with pytest.raises(HTTPError, match="403"):
        connect(splunk, "analyst").get("data/inputs/http")
    assert service.post("data/inputs/http/tests/disable").status == 200
    assert service.delete("data/inputs/http/tests").status == 200
    with splunk.client() as admin:
        audit = admin.get("/api/audit", params={"who": "admin"}).json()
    acts = [row["action"] for row in audit if row["target"] == "hec:tests"]
    assert acts == ["remove token", "disable token", "add token"]


def test_confs_apps_and_properties(service: Service) -> None:
    service.post("configs/conf-macros", name="mine", definition="index=main")
    stanza = service.get("configs/conf-macros/mine", output_mode="json")
    assert json.loads(stanza.body.read())["entry"][0]["content"]["definition"] == "index=main"
    service.post("properties/authorize/default/deleteIndexesAllowed", value="*")
    assert service.get("properties/authorize/default/deleteIndexesAllowed").body.read() == b"*"
    assert service.delete("configs/conf-macros/mine").status == 200
    with pytest.raises(HTTPError, match="404"):
        service.get("configs/conf-macros/mine")
    assert service.apps["SplunkEnterpriseSecuritySuite"].name == "SplunkEnterpriseSecuritySuite"
    with pytest.raises(HTTPError, match="501"):
        service.get("storage/passwords")


def test_the_kv_store(service: Service, splunk: RunningServer) -> None:
    service.kvstore.create("staff", fields={"name": "string", "age": "number"})
    assert "staff" in [one.name for one in service.kvstore]
    data = service.kvstore["staff"].data
    key = data.insert(json.dumps({"name": "ana", "age": 41}))["_key"]
    data.batch_save({"name": "ben", "age": 30}, {"name": "eve", "age": 52, "_key": "e"})
    assert data.query_by_id(key)["name"] == "ana"
    older = data.query(
        query=json.dumps({"$and": [{"age": {"$gt": 35}}, {"name": {"$ne": "x"}}]}), sort="age:-1"
    )
    assert [row["name"] for row in older] == ["eve", "ana"]
    assert data.query(fields="name,_key:0", limit=1, skip=1, sort="name") == [{"name": "ben"}]
    data.update("e", json.dumps({"name": "eva"}))
    assert data.query_by_id("e") == {"name": "eva", "_key": "e"}
    assert [len(found) for found in data.batch_find({"query": {"age": 30}}, {"query": {}})] == [
        1,
        3,
    ]
    looked = service.jobs.oneshot(
        "| inputlookup staff | sort name | table name", output_mode="json"
    )
    assert [row["name"] for row in read_json(looked)] == ["ana", "ben", "eva"]
    with pytest.raises(HTTPError, match="LAK026: staff is a collection"):
        service.jobs.oneshot("| makeresults | eval name=7 | outputlookup staff")
    with pytest.raises(HTTPError, match="403"):
        connect(splunk, "viewer").kvstore["staff"].data.insert(json.dumps({"a": 1}))
    with pytest.raises(HTTPError, match="400"):
        data.query(query=json.dumps({"age": {"$where": "1"}}))
    data.delete_by_id("e")
    with pytest.raises(HTTPError, match="404"):
        data.query_by_id("e")
    data.delete(query=json.dumps({"name": "ben"}))
    assert len(data.query()) == 1
    service.kvstore.delete("staff")
    assert "staff" not in [one.name for one in service.kvstore]


def test_delete_takes_the_right(service: Service, splunk: RunningServer) -> None:
    with pytest.raises(HTTPError, match="LAK026"):
        connect(splunk, "engineer").jobs.oneshot("search index=hr | delete")
    rows = read_json(service.jobs.oneshot("search index=hr | delete", output_mode="json"))
    assert {row["errors"] for row in rows} == {"0"}
    assert read_json(service.jobs.oneshot("search index=hr", output_mode="json")) == []
