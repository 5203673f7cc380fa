"""What a client might expect of a change, and Escudo does not do, is told in the answer."""

from __future__ import annotations

import pytest

from tests.serve.running import RunningServer

pytestmark = pytest.mark.slow

JSON = {"output_mode": "json"}


@pytest.mark.parametrize(
    ("path", "given", "words"),
    [
        ("configs/conf-limits", {"name": "search", "a": "1"}, "does not go by it"),
        ("configs/conf-limits/search", {"a": "2"}, "does not go by it"),
        ("properties/limits/search/b", {"value": "1"}, "does not go by it"),
        ("data/indexes", {"name": "old", "frozenTimePeriodInSecs": "9"}, "does not go by it"),
        ("data/indexes", {"name": "older"}, ""),
        ("data/indexes/older", {"frozenTimePeriodInSecs": "9"}, "does not go by it"),
        ("authorization/roles/admin", {"srchIndexesAllowed": "x"}, "nothing was changed"),
        ("saved/searches", {"name": "w", "search": "| makeresults"}, ""),
        ("saved/searches/w", {"is_scheduled": "1"}, "not scheduled"),
        ("saved/searches/w/dispatch", {"trigger_actions": "1"}, ""),
        ("saved/searches/w", {"actions": "email"}, "(email) are kept, and not taken"),
        ("saved/searches/w/dispatch", {"trigger_actions": "1"}, "(email) are kept, and not taken"),
        ("saved/searches/w/dispatch", {}, ""),
    ],
)
def test_what_is_not_done_is_told(
    splunk: RunningServer, path: str, given: dict[str, str], words: str
) -> None:
    with splunk.client() as client:
        answer = client.post(f"/services/{path}", data={**given, **JSON})
        assert answer.is_success, answer.text
        told = [message["text"] for message in answer.json().get("messages", [])]
        assert [words in text for text in told] == ([True] if words else [])


def test_it_is_told_in_xml(splunk: RunningServer) -> None:
    with splunk.client() as client:
        asked = {"name": "x", "search": "| makeresults", "actions": "a<b"}
        for path in ("saved/searches", "saved/searches/x/dispatch"):
            answer = client.post(f"/services/{path}", data={**asked, "trigger_actions": "1"})
            assert 'msg type="WARN">its actions (a&lt;b) are' in answer.text
