"""Sources from folders: their order, what they are recognised by, what folders may hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from escudo.core.errors import EscudoError
from escudo.sources import load_families
from escudo.sources.reading import RawBatch, read
from tests.families import FAMILIES
from tests.sources.support import stream_of

OWN = """\
name: {name}
title: Own
priority: {priority}
recognise: [{{app: [Door, gate], state: "*"}}]
time: []
host: []
source: own
sourcetype: own
index: own
fields: [app]
"""


def test_they_are_tried_by_priority_then_by_name(tmp_path: Path) -> None:
    for name, priority in (("b", 95), ("a", 95), ("first", 1)):
        (tmp_path / f"{name}.yml").write_text(OWN.format(name=name, priority=priority))
    families = load_families([tmp_path])
    names = list(families)
    assert names[0] == "first"
    assert names[-4:] == ["windows_other", "a", "b", "json_generic"]
    assert families.fallback.name == "json_generic"
    assert {"app", "state"} <= set(families.routing_fields)
    assert ("app" in families.exact_fields, "state" in families.exact_fields) == (True, False)
    assert len(FAMILIES) == len(families) - 3


def test_an_event_belongs_to_the_first_family_whose_rule_holds(tmp_path: Path) -> None:
    (tmp_path / "own.yml").write_text(OWN.format(name="own", priority=50))
    families = load_families([tmp_path])
    log = b'{"app":"DOOR","state":"open"}\n{"app":"gate"}\n{"app":"gate","state":"shut"}\n'
    batches = [b for b in read(stream_of(log), families) if isinstance(b, RawBatch)]
    rows = {b.family.name: b.table["_raw"].to_pylist() for b in batches}
    assert rows == {
        "own": ['{"app":"DOOR","state":"open"}', '{"app":"gate","state":"shut"}'],
        "json_generic": ['{"app":"gate"}'],
    }


@pytest.mark.parametrize(
    ("files", "code", "message"),
    [
        ({}, "SRC052", "holds no YAML file of a source"),
        ({"readme.md": "name: x"}, "SRC052", "holds no YAML file of a source"),
        ({"a.yml": "- a list"}, "SRC050", r"a\.yml:1:1: a mapping of keys is expected"),
        ({"a.yml": "\udce9"}, "SRC050", r"a\.yml:1:1: not UTF-8 at byte 0"),
        (
            {n: OWN.format(name="x", priority=1) for n in ("a.yml", "b.yml")},
            "SRC051",
            r"b\.yml:1:7: there is a source 'x' already",
        ),
    ],
)
def test_wrong_folders(files: dict[str, str], code: str, message: str, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8", "surrogateescape")
    with pytest.raises(EscudoError, match=message) as caught:
        load_families([tmp_path])
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("source", "sourcetype", "family"),
    [
        (None, "aws:cloudtrail", "aws_cloudtrail"),
        ("anything", "AWS:CloudTrail", "aws_cloudtrail"),
        ("kubernetes", "_json", "kubernetes_audit"),  # both are asked for
        ("other", "_json", None),
        ("PINGID", "XmlWinEventLog", "pingid"),  # by its source alone
        ("zeek.log", "bro:x509:json", "zeek"),  # by a pattern
        ("falco.log", "kube:container:falco", "kubernetes_container"),
        (None, "XmlWinEventLog", None),  # many sources have it: the events decide
        (None, "MSExchange:management", "windows_other"),
        (None, "httpevent", None),
        (None, None, None),
    ],
)
def test_labels_that_decide(source: str | None, sourcetype: str | None, family: str | None) -> None:
    claimed = FAMILIES.claim(source, sourcetype)
    assert (claimed and claimed.name) == family


def test_an_own_source_is_claimed_by_its_source_type(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(OWN.format(name="a", priority=95))
    claimed = load_families([tmp_path]).claim(None, "own")
    assert claimed is not None
    assert claimed.name == "a"


def test_two_sources_of_one_source_type_claim_nothing(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yml").write_text(OWN.format(name=name, priority=95))
    assert load_families([tmp_path]).claim(None, "own") is None


def test_labels_are_source_and_source_type(tmp_path: Path) -> None:
    text = OWN.format(name="a", priority=95) + "labels: [{host: pc1}]\n"
    (tmp_path / "a.yml").write_text(text)
    with pytest.raises(EscudoError, match=r"a\.yml:11:17: 'labels' are source and sourcetype"):
        load_families([tmp_path])


def test_what_is_given_goes_before_what_is_in_an_event() -> None:
    text = b'{"eventType": "user.session.start", "published": "2024-06-01", "displayMessage": "x"}'
    for given, family in ((None, "okta"), (FAMILIES["pingid"], "pingid")):
        [batch] = read(stream_of(text), FAMILIES, given=given)
        assert isinstance(batch, RawBatch)
        assert batch.family.name == family
