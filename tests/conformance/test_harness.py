"""The harness itself: a wrong expectation must fail, whatever its form."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from escudo.engines.duckdb import DuckDBEngine, connect
from escudo.engines.execute import Engine
from escudo.spl.commands import COMMANDS
from escudo.spl.commands.foreign import APPS
from escudo.spl.functions import eval_functions, stats_functions
from tests.conformance.cases import Case, all_cases, differences, read_cases, same
from tests.conformance.catalog import RowsCatalog
from tests.conformance.engines import problem, problems_of_batch

EVAL = Case("f", "n", "s", eval="lower(a)", given={"a": "X"}, value="x")
SEARCH = Case(
    "f",
    "n",
    "s",
    spl="index=main | stats count BY a",
    rows=({"a": "x"}, {"a": "y"}, {"a": "y"}),
    expect=({"a": "x", "count": 1}, {"a": "y", "count": 2}),
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return DuckDBEngine(RowsCatalog(tmp_path_factory.mktemp("rows")), connect(threads=1))


@pytest.mark.parametrize("case", [EVAL, SEARCH, replace(EVAL, eval="foo(1)", error="SPL200")])
def test_right_expectations_pass(case: Case, engine: Engine, tmp_path: Path) -> None:
    assert problem(case, engine, tmp_path) is None


@pytest.mark.parametrize(
    "case",
    [
        replace(EVAL, value="X"),
        replace(EVAL, value=None),
        replace(EVAL, value=["x", "x"]),
        replace(EVAL, error="SPL200"),
        replace(EVAL, eval="foo(a)"),
        replace(EVAL, eval="foo(a)", error="SPL201"),
        replace(SEARCH, expect=({"a": "x", "count": 1},)),
        replace(SEARCH, expect=tuple(reversed(SEARCH.expect))),
        replace(SEARCH, expect=({"a": "x", "count": 1}, {"a": "y", "count": 3})),
        replace(SEARCH, expect=({"a": "x", "b": 1}, {"a": "y"})),
        replace(SEARCH, error="SPL200"),
        replace(SEARCH, spl="index=main | stats contu BY a"),
        replace(SEARCH, columns=["count", "a"]),
        replace(SEARCH, warns=["SPL320"]),
        replace(SEARCH, within=(0, 1)),
        replace(SEARCH, writes={"t": [{"a": "x"}]}),
        replace(SEARCH, spl="index=main | stats count BY a | outputlookup t"),
        replace(SEARCH, deletes=1),
    ],
)
def test_wrong_expectations_fail(case: Case, engine: Engine, tmp_path: Path) -> None:
    assert problem(case, engine, tmp_path) is not None


def test_a_batch_tells_which_case_is_wrong(engine: Engine, tmp_path: Path) -> None:
    wrong = replace(EVAL, name="wrong", value="y")
    broken = replace(EVAL, name="broken", eval="foo(a)")
    assert problems_of_batch([EVAL, EVAL], engine, tmp_path) == []
    assert [p.split(":")[0] for p in problems_of_batch([EVAL, wrong], engine, tmp_path)] == [
        "wrong"
    ]
    found = problems_of_batch([EVAL, wrong, broken], engine, tmp_path)
    assert [p.split(":")[0] for p in found] == ["wrong", "broken"]


def test_any_order() -> None:
    rows = [{"a": "y"}, {"a": "x"}]
    case = replace(SEARCH, expect=({"a": "x"}, {"a": "y"}))
    assert differences(rows, case)
    assert not differences(rows, replace(case, any_order=True))


@pytest.mark.parametrize(
    ("found", "wanted", "equal"),
    [
        (5.0, "5", True),
        (5, 5.0, True),
        ("5.0", 5, False),
        (0.1 + 0.2, 0.3, True),
        (["a"], "a", True),
        (["a", "b"], ["b", "a"], False),
        ([], None, True),
        (None, "", False),
        ("a", "A", False),
        (True, "true", True),
        (1.0, 1.1, False),
    ],
)
def test_same(found: object, wanted: object, equal: bool) -> None:
    assert same(found, wanted) is equal


@pytest.mark.parametrize(
    "document",
    [
        {"source": "s", "cases": [{"eval": "1", "iss": 1}]},
        {"source": "s", "cases": [{"eval": "1", "spl": "x"}]},
        {"source": "s", "cases": [{"is": 1}]},
        {"cases": [{"eval": "1", "is": 1}]},
    ],
)
def test_malformed_cases_are_refused(document: object, tmp_path: Path) -> None:
    path = tmp_path / "bad.yml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    with pytest.raises(ValueError, match=r"bad\.yml"):
        list(read_cases(path))


def test_every_function_has_a_case() -> None:
    text = "\n".join(f"{c.eval or c.spl}" for c in all_cases())
    called = {name for name in (*eval_functions, *stats_functions) if f"{name}(" in text}
    numbered = {n for n, row in stats_functions.items() if row.takes_number and n in text}
    assert set(eval_functions) | set(stats_functions) == called | numbered


def test_every_command_has_a_case() -> None:
    text = "\n".join(c.spl for c in all_cases() if c.spl)
    used = set(re.findall(r"(?:^|[|\[])\s*([a-z]\w*)", text))
    others_only = set(APPS) | {"discretize", "loadjob", "summary"}
    assert set(COMMANDS) - used - others_only == set()


def test_case_names_are_unique() -> None:
    names = [c.id for c in all_cases()]
    assert {n for n in names if names.count(n) > 1} == set()
