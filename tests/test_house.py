"""The house: what holds of every package, whatever is in it."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

import escudo

ROOT = Path(escudo.__file__).parent
SHARED_NAMES = frozenset({"__init__.py", "codes.py"})
"""Each package has these of its own."""

NOT_YET = frozenset({"spl"})
"""Packages with modules of one name in several folders; to be emptied."""


def packages() -> list[object]:
    names = sorted(p.name for p in ROOT.iterdir() if (p / "__init__.py").is_file())
    reason = "modules of one name in several folders"
    return [
        pytest.param(n, marks=pytest.mark.xfail(strict=True, reason=reason)) if n in NOT_YET else n
        for n in names
    ]


@pytest.mark.parametrize("package", packages())
def test_a_module_name_is_unique_in_its_package(package: str) -> None:
    modules: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / package).rglob("*.py")):
        if path.name not in SHARED_NAMES:
            modules[path.name].append(path.relative_to(ROOT).as_posix())
    assert [paths for paths in modules.values() if len(paths) > 1] == []
