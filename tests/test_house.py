"""The house: what holds of every package, whatever is in it."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

import escudo

ROOT = Path(escudo.__file__).parent
SHARED_NAMES = frozenset({"__init__.py", "codes.py"})
"""Each package has these of its own."""

PACKAGES = sorted(p.name for p in ROOT.iterdir() if (p / "__init__.py").is_file())


@pytest.mark.parametrize("package", PACKAGES)
def test_a_module_name_is_unique_in_its_package(package: str) -> None:
    modules: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / package).rglob("*.py")):
        if path.name not in SHARED_NAMES:
            modules[path.name].append(path.relative_to(ROOT).as_posix())
    assert [paths for paths in modules.values() if len(paths) > 1] == []
