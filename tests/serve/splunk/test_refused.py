"""What cannot be is answered with what is wrong, and no fault of the server."""

from __future__ import annotations

import pytest

from tests.serve.running import RunningServer

pytestmark = pytest.mark.slow

ROWS = "storage/collections/data/refusing"


@pytest.mark.parametrize(
    ("path", "given", "words"),
    [
        ("search/jobs", {"search": "| makeresults", "max_count": "-1"}, "less than 0"),
        ("search/jobs", {"search": "| makeresults", "timeout": "-1"}, "less than 0"),
        ("search/jobs", {"search": "| makeresults", "max_time": "soon"}, "no whole number"),
        ("search/jobs/export", {"search": "| makeresults", "output_mode": "yaml"}, "yaml"),
    ],
)
def test_parameters(splunk: RunningServer, path: str, given: dict[str, str], words: str) -> None:
    with splunk.client() as client:
        answer = client.post(f"/services/{path}", data=given)
        assert answer.status_code == 400
        assert words in answer.text


def test_numbers_may_be_of_any_size(splunk: RunningServer) -> None:
    huge = "9" * 400
    given = {"search": "| makeresults", "max_time": huge, "timeout": huge, "max_count": huge}
    with splunk.client() as client:
        answer = client.post("/services/search/jobs", data={**given, "exec_mode": "blocking"})
        assert answer.status_code == 201, answer.text


def test_rows_and_queries(splunk: RunningServer) -> None:
    with splunk.client() as client:
        made = client.post("/services/storage/collections/config", data={"name": "refusing"})
        assert made.status_code == 201
        deep = "[" * 50_000
        for path, body in (
            (ROWS, '{"a": NaN}'),
            (ROWS, '{"a": 1e999}'),
            (ROWS, deep),
            (f"{ROWS}/batch_find", '[{"query": {}, "skip": "x"}]'),
            (f"{ROWS}/batch_find", '[{"query": {}, "limit": -1}]'),
            (f"{ROWS}/batch_find", '[{"query": {"a": {"$not": 1}}}]'),
        ):
            client.post(f"/services/{ROWS}", json={"a": 1})
            headers = {"content-type": "application/json"}
            answer = client.post(f"/services/{path}", content=body, headers=headers)
            assert answer.status_code == 400, (path, body[:80], answer.text)
        assert client.get(f"/services/{ROWS}", params={"skip": -1}).status_code == 400
        assert client.get(f"/services/{ROWS}").json()[0]["a"] == 1


def test_an_app_whose_name_has_a_slash_keeps_its_own(splunk: RunningServer) -> None:
    plain, odd = "/servicesNS/nobody/x/storage", "/servicesNS/nobody/x%2Fy/storage"
    with splunk.client() as client:
        for app in (plain, odd):
            made = client.post(f"{app}/collections/config", data={"name": "kept"})
            assert made.status_code == 201
            assert client.post(f"{app}/collections/data/kept", json={"a": app}).is_success
        assert client.delete(f"{odd}/collections/config/kept").is_success
        assert client.get(f"{odd}/collections/data/kept").status_code == 404
        assert [row["a"] for row in client.get(f"{plain}/collections/data/kept").json()] == [plain]
