"""The tables of own sources: beside Escudo's, under names that are free, with columns to add."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from escudo.core.errors import EscudoError
from escudo.lake import Lake
from escudo.lake.ingest import ingest
from escudo.lake.tables import load_tables

OWN = """\
name: {name}
title: Own
priority: 1
recognise: [{{own: "*"}}]
time: []
host: []
source: own
sourcetype: own
index: own
fields: {fields}
"""


def write_source(folder: Path, fields: str = "[own]", name: str = "own") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "own.yaml").write_text(OWN.format(name=name, fields=fields))
    return folder


def test_an_own_source_has_a_table(tmp_path: Path) -> None:
    tables = load_tables([write_source(tmp_path / "sources")])
    assert {s.table for s in tables} - {s.table for s in load_tables()} == {"raw_own"}
    assert tables.unknown(["raw_own", "raw_other", "raw_risk"]) == ["raw_other"]
    assert [f.name for f in tables.families.own] == ["own"]


@pytest.mark.parametrize("name", ["risk", "notable", "stash", "json_generic"])
def test_a_name_that_is_taken(name: str, tmp_path: Path) -> None:
    with pytest.raises(EscudoError, match=r"own\.yaml:1:7") as caught:
        load_tables([write_source(tmp_path / "sources", name=name)])
    assert caught.value.code == "SRC051"


def test_fields_may_come_to_a_source_but_not_change_their_type(tmp_path: Path) -> None:
    sources, log = tmp_path / "sources", tmp_path / "log.json"

    def read(fields: str, number: int) -> int:
        log.write_text(json.dumps({"own": "yes", "more": str(number)}) + "\n")
        write_source(sources, fields)
        with Lake.open(tmp_path / "lake", tables=load_tables([sources])) as lake:
            return ingest([log], lake).read

    assert read("[own]", 1) == read("[own, more]", 2) == 1
    with pytest.raises(EscudoError, match="raw_own, column own has another type") as caught:
        read("[{name: own, type: multivalue}]", 3)
    assert caught.value.code == "LAK008"
    with pytest.raises(EscudoError, match="raw_own") as caught:
        Lake.open(tmp_path / "lake")
    assert caught.value.code == "LAK016"
    with Lake.open(tmp_path / "lake", partly=True) as lake:
        assert lake.snapshot().tables() == ["raw_own"]
