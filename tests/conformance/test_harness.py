"""The harness itself: a wrong expectation must fail, whatever its form."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

import pytest
import yaml

from escudo.engines.duckdb import DuckDBEngine, connect
from escudo.engines.execute import Engine
from escudo.spl import functions
from escudo.spl.commands import COMMANDS
from escudo.spl.functions import EvalFunction, StatsFunction, eval_functions, stats_functions
from tests.conformance.cases import (
    FOLDER,
    Case,
    all_cases,
    differences,
    names_by_command,
    read_cases,
    same,
)
from tests.conformance.catalog import RowsCatalog
from tests.conformance.engines import find_missed, problem, problems_of

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


def test_many_cases_tell_which_is_wrong(engine: Engine, tmp_path: Path) -> None:
    """Values that are one query, a case that breaks it, searches and errors beside them."""
    right = [
        EVAL,
        replace(EVAL, name="other", eval="upper(a)", given={"a": "x"}),
        replace(EVAL, name="refused", eval="foo(1)", error="SPL200"),
        replace(SEARCH, name="search"),
        replace(SEARCH, name="search of others", rows=({"a": "y"},), expect=({"a": "y"},)),
    ]
    right[1] = replace(right[1], value="X")
    wrong = [
        replace(EVAL, name="wrong", value="y"),
        replace(SEARCH, name="wrong search", expect=()),
        replace(EVAL, name="not refused", error="SPL200"),
    ]

    def names_of(cases: list[Case], folder: str) -> list[str]:
        (tmp_path / folder).mkdir()
        found = problems_of(cases, engine, tmp_path / folder)
        return [problem.split(":")[0] for problem in found]

    assert names_of(right, "right") == []
    assert names_of([*right, *wrong], "both") == ["wrong", "wrong search", "not refused"]
    broken = replace(EVAL, name="broken", eval="foo(a)")
    assert names_of([*right, broken, *wrong], "broken") == [
        *("broken", "wrong", "wrong search", "not refused"),
    ]


def test_a_case_that_crashes_is_named(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(KeyError) as raised:
        problems_of([EVAL, replace(SEARCH, name="crash", zone="Mars/Base")], engine, tmp_path)
    assert raised.value.__notes__ == ["in the case f: crash"]


def test_a_search_that_a_hunt_would_leave_out_is_told(engine: Engine, tmp_path: Path) -> None:
    """Its rows are said to be there, and no event is."""
    missed = replace(SEARCH, name="missed", rows=(), models={"M.D": [{"a": "x"}]})
    assert find_missed([SEARCH, missed], engine, tmp_path) == ["missed"]


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


NO_ROWS = {"jsonvalue", "row", "timeformat"}
"""Modules of functions that only help those with rows."""


def starts(name: str, search: str) -> bool:
    """Whether a command of this name is in a search; one that starts with terms is a ``search``.

    >>> starts("head", "a=1 | head 2"), starts("search", "a=1 | head 2"), starts("a", "a=1")
    (True, True, False)
    """
    if name == "search" and not search.startswith("|"):
        return True
    return re.search(rf"(?:^|[|\[])\s*{name}(?!\w|\s*=)", search) is not None


def names_of_functions(module: ModuleType) -> set[str]:
    """The functions that a module has rows for."""
    tables = [value for value in vars(module).values() if isinstance(value, tuple)]
    rows = [row for table in tables for row in table]
    return {row.name for row in rows if isinstance(row, EvalFunction | StatsFunction)}


def called(expression: str) -> set[str]:
    """What may be names of functions in an expression, also without their number (``perc95``)."""
    words = set(re.findall(r"[a-z_][a-z_0-9]*", expression.lower()))
    return words | {word.rstrip("0123456789") for word in words}


def test_every_function_has_a_case() -> None:
    text = "\n".join(f"{c.eval or c.spl}" for c in all_cases())
    called = {name for name in (*eval_functions, *stats_functions) if f"{name}(" in text}
    numbered = {n for n, row in stats_functions.items() if row.takes_number and n in text}
    assert set(eval_functions) | set(stats_functions) == called | numbered


def test_every_name_of_a_command_has_a_case() -> None:
    texts = [c.spl for c in all_cases() if c.spl]
    assert [n for n in COMMANDS if not any(starts(n, text) for text in texts)] == []


def test_every_command_has_a_file_and_an_alias_has_none() -> None:
    files = {path.stem for path in (FOLDER / "commands").glob("*.yml")}
    assert files ^ set(names_by_command()) == set()


@pytest.mark.parametrize(("command", "names"), names_by_command().items())
def test_cases_of_a_command_are_about_it(command: str, names: list[str]) -> None:
    cases = [c for c in all_cases() if c.file == f"commands/{command}"]
    assert cases
    assert [c.name for c in cases if not any(starts(n, f"{c.spl}") for n in names)] == []


def test_cases_of_functions_stand_with_the_module_that_has_them() -> None:
    groups = {path.stem: path for path in (FOLDER / "functions").glob("*.yml")}
    assert set(groups) == {m.name for m in iter_modules(functions.__path__)} - NO_ROWS
    astray = []
    for group in groups:
        own = names_of_functions(import_module(f"escudo.spl.functions.{group}"))
        cases = [c for c in all_cases() if c.file == f"functions/{group}"]
        astray += [c.id for c in cases if not own & called(f"{c.eval or c.spl}")]
    assert astray == []


def test_case_names_are_unique() -> None:
    names = [c.id for c in all_cases()]
    assert {n for n in names if names.count(n) > 1} == set()
