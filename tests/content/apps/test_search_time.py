"""Search-time fields of a Splunk app: cases of settings, events and rows; what is told of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from escudo import content
from escudo.core.timerange import ALL_TIME
from escudo.detect.running import run_detections
from escudo.detect.screening import Screener
from escudo.engines.execute import run_search
from tests.conformance.catalog import NOW, RowsCatalog
from tests.content.yaml_files import put
from tests.shared_engine import engine_over
from tests.yaml_file import read_yaml

CASES = read_yaml(Path(__file__).with_name("search_time.yml"))
CONFS = ("props", "transforms", "eventtypes", "tags", "macros")


def write_app(folder: Path, case: dict[str, Any]) -> Path:
    for name in CONFS:
        if name in case:
            put(folder, f"default/{name}.conf", case[name])
    if "local_props" in case:
        put(folder, "local/props.conf", case["local_props"])
    if "lookup" in case:
        put(folder, "lookups/staff.csv", case["lookup"])
    return folder


def shown(value: Any) -> str | None:
    """A value as text; those of a multivalue with a plus between them."""
    if isinstance(value, list):
        return "+".join(value)
    return None if value is None else str(value)


@pytest.mark.slow
@pytest.mark.parametrize("in_rest", [False, True], ids=["columns", "rest"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_rows(case: dict[str, Any], in_rest: bool, tmp_path: Path) -> None:
    loaded = content.load([write_app(tmp_path / "app", case)])
    assert [d.message for d in loaded.diagnostics] == []
    catalog = RowsCatalog(tmp_path)
    for number, rows in enumerate(case.get("tables") or [case["events"]]):
        catalog.events(rows, table=f"events{number}", in_rest=in_rest)
    engine = engine_over(catalog)
    found = run_search(case["search"], engine, catalog, loaded.knowledge, now=NOW)
    rows = [{n: shown(v) for n, v in row.items()} for row in found.table.to_pylist()]
    assert rows == case["rows"]
    assert [d.message for d in found.diagnostics] == []


TOLD = [
    ("[web]\nSHOULD_LINEMERGE = 0\nTIME_FORMAT = %s\n", "info", 2, "SHOULD_LINEMERGE, TIME_FORMAT"),
    ("[web]\n\nTRANSFORMS-a = b\n", "info", 3, "TRANSFORMS-a"),
    ("[rule::x]\nsourcetype = y\n", "info", 2, "[rule::x]"),
    ("[web]\nrename = other\n", "warning", 2, "rename has no effect"),
    ("[web]\nEXTRACT-a = no group\n", "warning", 2, "EXTRACT-a has no effect: its regular"),
    ("[web]\nEXTRACT-a = (?<x>[)\n", "warning", 2, "EXTRACT-a has no effect"),
    ("[web]\nEVAL-a = nofunction(1)\n", "warning", 2, "EVAL-a has no effect: unknown function"),
    ("[web]\nEVAL-a = 1 +\n", "warning", 2, "EVAL-a has no effect"),
    ("[web]\nREPORT-a = gone\n", "warning", 2, "transforms.conf has no stanza [gone]"),
    ("[web]\nREPORT-a = empty\n", "warning", 2, "[empty] of transforms.conf has neither"),
    ("[web]\nREPORT-a = joined\n", "warning", 2, "'$1.$2' joins groups"),
    ("[web]\nFIELDALIAS-a = b c\n", "warning", 2, "'b c' is not 'field AS alias'"),
    ("[web]\nLOOKUP-a = only_table\n", "warning", 2, "LOOKUP-a has no effect"),
]


@pytest.mark.parametrize(("props", "severity", "line", "message"), TOLD)
def test_what_is_told(props: str, severity: str, line: int, message: str, tmp_path: Path) -> None:
    transforms = "[empty]\nMV_ADD = 1\n[joined]\nREGEX = (.)(.)\nFORMAT = x::$1.$2\n"
    put(tmp_path, "default/transforms.conf", transforms)
    put(tmp_path, "default/props.conf", props)
    told = [
        d for d in content.load([tmp_path]).diagnostics if d.span and "props" in str(d.span.file)
    ]
    assert [(str(d.severity), d.span.line) for d in told if d.span] == [(severity, line)]
    assert message in told[0].message


def test_an_automatic_lookup_that_is_not_there_costs_only_its_fields(tmp_path: Path) -> None:
    put(tmp_path, "default/props.conf", "[web]\nLOOKUP-a = gone user OUTPUT team\n")
    catalog = RowsCatalog(tmp_path)
    catalog.events([{"sourcetype": "web", "user": "ann"}])
    knowledge = content.load([tmp_path]).knowledge
    engine = engine_over(catalog)
    found = run_search("index=main | table user team", engine, catalog, knowledge, now=NOW)
    assert found.table.to_pylist() == [{"user": "ann", "team": None}]
    assert [(d.code, "unknown lookup 'gone'" in d.message) for d in found.diagnostics] == [
        ("SPL342", True)
    ]


def test_an_event_type_with_a_pipe_finds_nothing_and_says_so(tmp_path: Path) -> None:
    put(tmp_path, "default/eventtypes.conf", "[bad]\nsearch = a | head 1\n")
    catalog = RowsCatalog(tmp_path)
    catalog.events([{"_raw": "a"}])
    knowledge = content.load([tmp_path]).knowledge
    found = run_search("eventtype=bad", engine_over(catalog), catalog, knowledge, now=NOW)
    assert found.table.num_rows == 0
    assert [d.code for d in found.diagnostics] == ["SPL343"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("who=ann", 1),
        ("who=eve", 0),
        ("user=ann", 1),
        ("user=eve", 0),
        ("team=red", 1),
        ("eventtype=seen", 1),
        ("tag=watched", 1),
        ("tag=other", 0),
        ("doubled=22 | stats count by who", 1),
    ],
)
def test_a_detection_that_needs_them_is_not_ruled_out(
    search: str, found: int, tmp_path: Path
) -> None:
    app = tmp_path / "app"
    put(app, "default/savedsearches.conf", f"[One]\nsearch = sourcetype=web {search}\n")
    put(
        app,
        "default/props.conf",
        "[web]\nEXTRACT-a = user=(?<who>\\w+)\nEVAL-doubled = n * 2\n"
        "LOOKUP-a = staff name AS who OUTPUT team\nREPORT-b = pairs\n",
    )
    pairs = "[pairs]\nREGEX = (?<_KEY_1>\\w+)=(?<_VAL_1>\\w+)\nMV_ADD = 1\n"
    put(app, "default/transforms.conf", f"{pairs}[staff]\nfilename = staff.csv\n")
    put(app, "lookups/staff.csv", "name,team\nann,red\n")
    put(app, "default/eventtypes.conf", "[seen]\nsearch = who=ann\n")
    put(app, "default/tags.conf", "[eventtype=seen]\nwatched = enabled\n")
    catalog = RowsCatalog(tmp_path)
    catalog.events([{"sourcetype": "web", "_raw": "user=ann", "n": "11"}])
    loaded = content.load([app], builtin=False)
    (match,) = run_detections(
        loaded.detections,
        catalog,
        engine_over(catalog),
        loaded.knowledge,
        within=ALL_TIME,
        now=NOW,
        screener=Screener(),
    )
    assert not match.failed
    assert match.rows.num_rows == found
    assert match.source_files.to_pylist() == [["case"]] * found
