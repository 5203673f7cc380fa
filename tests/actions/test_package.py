"""Actions know nothing of a terminal, and take what they are asked by name."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

import escudo.actions

MODULES = sorted(Path(escudo.actions.__path__[0]).rglob("*.py"))
MOST_POSITIONS = 3
OF_A_TERMINAL = {"click", "rich", "sys", "getpass", "logging"}


def test_names_are_unique() -> None:
    assert MODULES
    assert max(Counter(m.name for m in MODULES).values()) == 1


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.name)
def test_nothing_prints_or_ends_the_process(module: Path) -> None:
    tree = ast.parse(module.read_text("utf-8"))
    imported = {
        a.name.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names
    }
    imported |= {
        (n.module or "").split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)
    }
    called = {
        n.func.id
        for n in ast.walk(tree)
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
    }
    assert imported & OF_A_TERMINAL == set()
    assert called & {"print", "input", "exit", "quit", "open"} == set()


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.name)
def test_no_state_in_modules(module: Path) -> None:
    """No `global`, and what a module holds is a constant, a type or a function."""
    tree = ast.parse(module.read_text("utf-8"))
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.Global)]
    names = [
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    ]
    mutable = [n for n in names if n.strip("_").islower() and n != "__all__"]
    assert mutable == []


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.name)
def test_more_than_three_arguments_go_by_name(module: Path) -> None:
    tree = ast.parse(module.read_text("utf-8"))
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    many = [
        f.name
        for f in functions
        if len([a for a in f.args.args if a.arg != "self"]) > MOST_POSITIONS
    ]
    assert many == []
