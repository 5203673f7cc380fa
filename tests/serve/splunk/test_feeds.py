"""What Splunk's clients read, whatever text is in it."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pyarrow as pa
import pytest

from escudo.serve.splunk.feeds import ATOM, REST, Entity, write_entry, write_feed, write_messages
from escudo.serve.splunk.jobs import as_search
from escudo.serve.splunk.paths import SLASH, read_path
from escudo.serve.splunk.rows import MEDIA, list_rows, write_page

HOSTILE = '"><script>alert(1)</script>]]>&amp;\x00\x1b\ud800 \u2028'
SHOWN = '"><script>alert(1)</script>]]>&amp;? \u2028'
"""The same without what XML cannot hold."""

ENTITY = Entity(
    path="saved/searches",
    name=HOSTILE,
    content={"search": HOSTILE, "list": ["a", HOSTILE], "deep": {"k": True, "n": None}},
)


def _read_keys(entry: ET.Element) -> dict[str, str | None]:
    keys = entry.findall(f"{{{ATOM}}}content/{{{REST}}}dict/{{{REST}}}key")
    return {str(key.get("name")): key.text for key in keys}


def test_a_feed_holds_any_text() -> None:
    answer = write_feed([ENTITY], title="t", base="http://h", json=False)
    feed = ET.fromstring(bytes(answer.body))
    (entry,) = feed.findall(f"{{{ATOM}}}entry")
    assert entry.findtext(f"{{{ATOM}}}title") == SHOWN
    assert _read_keys(entry)["search"] == SHOWN
    items = [item.text for item in entry.iter(f"{{{REST}}}item")]
    assert SHOWN in items
    acl = next(k for k in entry.iter(f"{{{REST}}}key") if k.get("name") == "eai:acl")
    assert {k.get("name") for k in acl.iter(f"{{{REST}}}key")} >= {"app", "owner", "sharing"}
    link = next(x for x in entry.iter(f"{{{ATOM}}}link") if x.get("rel") == "alternate")
    assert str(link.get("href")).startswith("/servicesNS/nobody/search/saved/searches/%22%3E")


def test_pages_of_a_feed() -> None:
    entities = [Entity(path="p", name=str(n), content={}) for n in range(5)]
    body = json.loads(
        bytes(
            write_feed(entities, title="t", base="b", json=True, offset=3, count=5).body,
        )
    )
    assert [entry["name"] for entry in body["entry"]] == ["3", "4"]
    assert body["paging"] == {"total": 5, "perPage": 5, "offset": 3}


def test_a_job_is_an_entry_without_a_feed() -> None:
    root = ET.fromstring(bytes(write_entry(ENTITY, base="b").body))
    assert root.tag == f"{{{ATOM}}}entry"


def test_messages_hold_any_text() -> None:
    answer = write_messages(400, HOSTILE, json=False)
    (message,) = ET.fromstring(bytes(answer.body)).iter("msg")
    assert (message.get("type"), message.text) == ("FATAL", SHOWN)
    assert answer.status_code == 400


def test_results_hold_any_text() -> None:
    text = "<b>\x01&]]>"
    table = pa.table({"_raw": [text], "a": [["x", text]], "n": [2.0], "_time": [0.5], "no": [None]})
    fields = table.column_names
    rows = [*list_rows(table)]
    assert rows[0]["_time"] == "1970-01-01T00:00:00.500+00:00"
    assert rows[0]["n"] == "2"
    root = ET.fromstring(write_page(rows, fields, mode="xml"))
    values = {field.get("k"): [*field.itertext()] for field in root.iter("field") if field.get("k")}
    assert values["_raw"] == ["<b>&]]>"]
    assert values["a"] == ["x", "<b>&]]>"]
    assert "no" not in values
    for mode in MEDIA:
        assert write_page(rows, fields, mode=mode)
    assert json.loads(write_page(rows, fields, mode="json"))["results"][0]["a"] == ["x", text]


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b"/services/saved/searches/a+b", "/services/saved/searches/a b"),
        (b"/services/x/a%2Bb", "/services/x/a+b"),
        (b"/services/x/http%3A%2F%2Fn?q=1+2", f"/services/x/http:{SLASH}{SLASH}n"),
        (b"/services/x/%252F", "/services/x/%2F"),
    ],
)
def test_names_in_paths(raw: bytes, path: str) -> None:
    assert read_path({"raw_path": raw, "path": ""}) == path


@pytest.mark.parametrize(
    ("given", "run"),
    [
        ("search index=*", "search index=*"),
        ("index=*", "index=*"),
        ("stats=1", "stats=1"),
        ("tstats count", "| tstats count"),
        (" | tstats count", " | tstats count"),
        ("unheard of", "unheard of"),
    ],
)
def test_a_search_may_begin_with_a_command(given: str, run: str) -> None:
    assert as_search(given) == run
