"""The files of upstream's content pass the checks, but for the faults that upstream has: a list."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from escudo import content
from escudo.actions.validate import shipped_attack_ids
from escudo.content.checks import build_known, check_elements
from escudo.content.element_files import ElementFile
from escudo.core.errors import Diagnostic, Severity
from tests.shared_data import SHARED, needs_shared

pytestmark = [needs_shared, pytest.mark.slow]

FAULTS: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parent / "upstream_faults.yml").read_text("utf-8")
)
SUBJECTS = {
    "CON422": re.compile(r"there is no data source '(.+)'\Z"),
    "CON423": re.compile(r"there is no story '(.+)'\Z"),
    "CON424": re.compile(r"there is no (?:detection|baseline) '(.+)'\Z"),
    "CON461": re.compile(r"the lookup's file (\S+) is not there\Z"),
}
"""Code -> what its message is about; the message of any other code stands for itself."""


def check(folder: str) -> list[Diagnostic]:
    assert SHARED is not None
    files: list[ElementFile] = []
    loaded = content.load([SHARED / folder], keep=files.append)
    today = date(2026, 11, 24)
    known = build_known(files, loaded, today=today, attack=shipped_attack_ids())
    return list(check_elements(known))


def count(problems: list[Diagnostic], severity: Severity) -> dict[str, Counter[str]]:
    out: dict[str, Counter[str]] = {}
    for problem in problems:
        if problem.severity is severity:
            subject = SUBJECTS.get(problem.code)
            match = subject.match(problem.message) if subject else None
            name = match[1] if match else problem.message
            out.setdefault(problem.code, Counter())[name] += 1
    return out


def names_in(folder: Path) -> set[str]:
    """The names of elements, read without Escudo."""
    texts = (path.read_text("utf-8") for path in folder.rglob("*.yml"))
    return {m[1].strip(" '\"") for t in texts for m in re.finditer(r"(?m)^name:(.*)$", t)}


@pytest.mark.parametrize("folder", ["security_content", "security_content_5"])
def test_upstream_has_no_other_faults(folder: str) -> None:
    problems = check(folder)
    assert count(problems, Severity.ERROR) == FAULTS[folder]["errors"]
    warnings = count(problems, Severity.WARNING)
    filters = warnings.pop("CON421")
    assert warnings == FAULTS[folder]["warnings"]
    assert filters.total() == 10
    assert all("is not at the end of the search" in message for message in filters)
    assert set(count(problems, Severity.INFO)) == {"CON412"}
    assert SHARED is not None
    there = names_in(SHARED / folder / "data_sources")
    assert [n for n in FAULTS[folder]["errors"]["CON422"] if n in there] == []
    there = names_in(SHARED / folder / "detections")
    assert [n for n in FAULTS[folder]["warnings"]["CON424"] if n in there] == []


def test_of_an_excerpt_only_what_is_not_in_it_is_told() -> None:
    """28 detections of ESCU 6 without most of what they refer to, and without contentctl.yml."""
    problems = check("security_content_6")
    assert count(problems, Severity.ERROR) == {}
    warnings = count(problems, Severity.WARNING)
    assert {c: n.total() for c, n in warnings.items()} == {
        "CON422": 28,
        "CON423": 59,
        "CON424": 2,
    }
    assert SHARED is not None
    there = names_in(SHARED / "security_content_6")
    assert [n for names in warnings.values() for n in names if n in there] == []
