"""Why a search selects an event or not: cases, laws, and the WMI detection over a real log."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from escudo import content
from escudo.core.errors import EscudoError
from escudo.detect.one_event import EVENT_ID, OneEvent, parse_event
from escudo.detect.why import Candidate, Verdict, Why
from escudo.engines.duckdb.connection import connect
from escudo.engines.duckdb.duckdb_engine import DuckDBEngine
from escudo.engines.execute import run_search
from escudo.lake import Lake
from escudo.lake.ingest import ingest
from escudo.spl.syntax import ast
from escudo.spl.syntax.unparse import eval_text, search_text
from tests.conformance.catalog import NOW, PlainKnowledge, RowsCatalog
from tests.shared_data import SHARED, needs_shared
from tests.shared_engine import engine_over
from tests.yaml_file import read_yaml

CASES = read_yaml(Path(__file__).with_name("why.yml"))
CONNECTION = connect(threads=1)


def _why(text: str, catalog: Any) -> Why:
    engine = DuckDBEngine(catalog, CONNECTION)
    return Why(text, engine, catalog, PlainKnowledge(), now=NOW)


def _marked(held: bool | None) -> str:
    return "null" if held is None else "ok" if held else "FAIL"


def _verdict(verdict: Verdict, depth: int) -> Iterator[str]:
    values = [
        "null" if v is None else ", ".join(v) if isinstance(v, list) else v
        for v in verdict.values.values()
    ]
    shown = f" [{'; '.join(values)}]" if values else ""
    hint = f" <- {verdict.hint}" if verdict.hint else ""
    yield f"{'  ' * depth}{_marked(verdict.held)} {verdict.text}{shown}{hint}"
    for operand in verdict.operands:
        yield from _verdict(operand, depth + 1)


def _lines(found: Candidate, *, named: bool) -> Iterator[str]:
    title = {True: "yes", False: "no", None: "unknown"}[found.matched]
    ids = f" {', '.join(map(str, found.event_ids))}" if named else ""
    yield title + ids + (f" ({found.note})" if found.note else "")
    for step in found.steps:
        yield f"{'--' if step.held is None else _marked(step.held)} {step.text}"
        for verdict in step.verdicts:
            yield from _verdict(verdict, 1)


@pytest.mark.parametrize("case", CASES, ids=[c["name"] for c in CASES])
def test_case(case: Mapping[str, Any], tmp_path: Path) -> None:
    rows = RowsCatalog(tmp_path)
    if "model" in case:
        rows.model(case["model"], case["rows"], case.get("fields", ()))
    else:
        rows.events(case["rows"])
    if "one" in case:
        folder = tmp_path / "one"
        folder.mkdir()
        one = OneEvent(rows, parse_event(json.dumps(case["one"])), folder, now=NOW)
        found = _why(case["spl"], one).explain_event(EVENT_ID)
    elif "near" in case:
        found = _why(case["spl"], rows).explain_nearest(case["near"])
    else:
        found = _why(case["spl"], rows).explain_event(case["event"])
    named = "near" in case
    assert (
        "\n".join(t for c in found.candidates for t in _lines(c, named=named)) + "\n"
        == (case["expect"])
    )


def test_no_such_event(tmp_path: Path) -> None:
    rows = RowsCatalog(tmp_path)
    rows.events([{"a": "1"}])
    with pytest.raises(EscudoError, match="DET201"):
        _why("search a=1", rows).explain_event(7)


@pytest.mark.parametrize("text", ["[1]", "{", '"x"'])
def test_an_event_must_be_an_object(text: str) -> None:
    with pytest.raises(EscudoError, match="DET202"):
        parse_event(text)


def test_fields_that_a_dataset_does_not_have_are_told(tmp_path: Path) -> None:
    rows = RowsCatalog(tmp_path)
    rows.model("Endpoint.Processes", [], ["user"])
    one = OneEvent(rows, {"user": "alice", "Image": "x"}, tmp_path, now=NOW)
    _why("| tstats count from datamodel=Endpoint.Processes by Processes.user", one).explain_event(
        EVENT_ID
    )
    assert one.unknown == {"endpoint.processes": ("Image",)}


# --- laws -----------------------------------------------------------------------------------------

EVENTS = [
    {"a": "x", "b": "1", "m": ["x", "Y"], "_raw": "x one"},
    {"a": "X", "b": "2", "_raw": "x.two"},
    {"a": "xy", "b": "10", "m": ["1", "10"], "_raw": "xy"},
    {"a": "1", "b": "x", "_raw": ""},
    {"b": "01", "m": ["xy"], "_raw": "1 X"},
    {"a": "10", "_raw": "y"},
    {"_raw": "Y x"},
]
_FIELDS = st.sampled_from(["a", "b", "m", "nothing"])
_VALUES = st.builds(
    ast.Value,
    st.sampled_from(["x", "X", "xy", "x*", "*y", "*", "1", "10", "01"]),
    st.booleans(),
    st.booleans(),
)
_COMPARISONS = st.builds(
    ast.Compare, _FIELDS, st.sampled_from(["=", "!=", "<", ">", "<=", ">="]), _VALUES
)
SEARCHES: st.SearchStrategy[ast.SearchExpr] = st.recursive(
    st.one_of(
        _COMPARISONS,
        st.builds(ast.InList, _FIELDS, st.lists(_VALUES, min_size=1, max_size=2).map(tuple)),
        st.builds(ast.Term, _VALUES),
    ),
    lambda inner: st.one_of(
        st.builds(ast.And, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(ast.Or, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(ast.Not, inner),
    ),
    max_leaves=6,
)
_OPERANDS = st.one_of(
    st.builds(ast.FieldRef, st.sampled_from(["a", "b", "nothing"])),
    st.builds(ast.Literal, st.sampled_from(["x", "X", "10", 1, 10])),
)
WHERES: st.SearchStrategy[ast.EvalExpr] = st.recursive(
    st.one_of(
        st.builds(
            ast.Binary, st.sampled_from(["=", "!=", "<", ">=", "LIKE"]), _OPERANDS, _OPERANDS
        ),
        st.builds(ast.Call, st.sampled_from(["isnull", "isnum"]), st.tuples(_OPERANDS)),
    ),
    lambda inner: st.one_of(
        st.builds(ast.Binary, st.sampled_from(["AND", "OR", "XOR"]), inner, inner),
        st.builds(ast.Unary, st.just("NOT"), inner),
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> RowsCatalog:
    rows = RowsCatalog(tmp_path_factory.mktemp("events"))
    rows.events(EVENTS)
    return rows


def _agrees(text: str, rows: RowsCatalog) -> None:
    """``why`` says of every event what the search itself says."""
    engine = DuckDBEngine(rows, CONNECTION)
    found = run_search(text, engine, rows, PlainKnowledge(), now=NOW, provenance=True).table
    selected = {i for ids in found.column("_event_id").to_pylist() for i in ids}
    why = _why(text, rows)
    misses = {c.event_ids[0]: c for c in why.explain_nearest(len(EVENTS)).candidates}
    if len(selected) < len(EVENTS):
        assert misses.keys() == set(range(len(EVENTS))) - selected
        assert not any(c.matched for c in misses.values())
        assert all(c.failed > 0 for c in misses.values())
        failed = [c.failed for c in misses.values()]
        assert failed == sorted(failed)
    else:
        assert all(c.matched for c in misses.values())


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(search=SEARCHES, where=st.none() | WHERES)
def test_an_event_is_selected_exactly_when_all_its_conditions_hold(
    search: ast.SearchExpr, where: ast.EvalExpr | None, events: RowsCatalog
) -> None:
    tail = f" | where {eval_text(where)}" if where is not None else ""
    _agrees(f"search {search_text(search)}{tail}", events)


# --- real logs ------------------------------------------------------------------------------------


@needs_shared
@pytest.mark.slow
def test_near_misses_of_the_wmi_detection_in_a_real_log() -> None:
    assert SHARED is not None
    (log,) = (SHARED / "evtx").rglob("panache_sysmon_vs_EDRTestingScript.evtx")
    own = content.load()
    detection = own.detection("Process Execution via WMI")
    with Lake.create_temporary() as lake:
        ingest([log], lake)
        engine = engine_over(lake)
        why = Why(detection.search, engine, lake, own.knowledge, now=NOW)
        candidates = why.explain_nearest(3).candidates
        assert len(candidates) == 3
        for found in candidates:
            assert found.matched is False
            assert found.failed == 1
            assert found.source_files == (str(log),)
            (failed, kept) = found.steps[0].verdicts
            assert failed.text == "Processes.parent_process_name=WmiPrvSE.exe"
            assert (failed.held, kept.held) == (False, True)
            parent = found.fields["Processes.parent_process_name"]
            assert failed.values == {"Processes.parent_process_name": parent}
            assert parent.lower() != "wmiprvse.exe"
        rows = run_search(
            detection.search, engine, lake, own.knowledge, now=NOW, provenance=True
        ).table
        for ids in rows.column("_event_id").to_pylist():
            (hit,) = why.explain_event(ids[0]).candidates
            assert hit.matched is True
