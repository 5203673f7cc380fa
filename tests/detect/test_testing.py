"""Whether a test passes, by the rows found. What is expected follows contentctl 5.6.2's
``DetectionTestingInfrastructure.retry_search_until_timeout``, line by line."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escudo.content import DetectionTest
from escudo.detect.testing import judge_rows
from tests.findings.matches import detection, match

POSITIVE = DetectionTest("finds", ())
NEGATIVE = DetectionTest("does not", (), negative=True)

RISK = [("dest", "system", 1), ("user", "user", 1)]
THREATS = [("process", "process"), ("ip", "ip_address")]
ONE = THREATS[:1]
GOOD = {"dest": ["a", "b"], "user": ["u", "v"], "process": [None, "p"]}

Rows = dict[str, list[object]]

VERDICTS: list[tuple[str, Rows, DetectionTest, list[str], list[str]]] = [
    # what it shows, rows, test, codes by contentctl's rule, codes with --strict
    ("all filled in the second row", GOOD, POSITIVE, [], []),
    ("rows of a negative test", GOOD, NEGATIVE, ["DET104"], ["DET104"]),
    ("no row", {"dest": []}, POSITIVE, ["DET101"], ["DET101"]),
    ("no row of a negative test", {"dest": []}, NEGATIVE, [], []),
    ("as many rows as said", GOOD, replace(POSITIVE, rows=2), [], []),
    ("fewer rows than said", GOOD, replace(POSITIVE, rows=3), ["DET105"], ["DET105"]),
    (
        "a risk field that is missing after the first complete row",
        {"dest": ["a", "b"], "user": ["u", None], "process": ["p", "p"]},
        POSITIVE,
        [],
        ["DET102"],
    ),
    (
        "a risk field that is missing before the first complete row",
        {"dest": ["a", "b"], "user": [None, "u"], "process": ["p", "p"]},
        POSITIVE,
        ["DET102"],
        ["DET102"],
    ),
    (
        "a risk field that is missing before any complete row",
        {**GOOD, "user": ["u", None]},
        POSITIVE,
        ["DET102"],
        ["DET102"],
    ),
    (
        "the text null is no value",
        {**GOOD, "user": ["null", "u"]},
        POSITIVE,
        ["DET102"],
        ["DET102"],
    ),
    ("NULL is a value", {**GOOD, "user": ["NULL", "u"]}, POSITIVE, [], []),
    ("empty text is a value to contentctl", {**GOOD, "user": ["", "u"]}, POSITIVE, [], ["DET102"]),
    (
        "a risk field that the search does not return",
        {"dest": ["a"], "process": ["p"]},
        POSITIVE,
        ["DET102"],
        ["DET102"],
    ),
    (
        "a threat field that is null in every row",
        {**GOOD, "process": ["null", None]},
        POSITIVE,
        ["DET103"],
        ["DET103"],
    ),
    (
        "a threat field that the search does not return",
        {"dest": ["a"], "user": ["u"]},
        POSITIVE,
        ["DET103"],
        ["DET103"],
    ),
    (
        "a multivalue field without a value",
        {"dest": [["a"], []], "user": ["u", "v"], "process": [None, None]},
        POSITIVE,
        ["DET102"],
        ["DET102", "DET103"],
    ),
    ("one value null", {**GOOD, "dest": [["null"], ["a"]]}, POSITIVE, ["DET102"], ["DET102"]),
    ("null among others", {**GOOD, "dest": [["null", "a"], ["a"]]}, POSITIVE, [], []),
]


@pytest.mark.parametrize(
    ("rows", "test", "codes", "strictly"),
    [v[1:] for v in VERDICTS],
    ids=[v[0] for v in VERDICTS],
)
def test_verdicts(rows: Rows, test: DetectionTest, codes: list[str], strictly: list[str]) -> None:
    found = match(rows, detection(risk=RISK, threats=ONE))
    assert [d.code for d in judge_rows(found, test)] == codes
    assert [d.code for d in judge_rows(found, test, strict=True)] == strictly


def test_two_threat_fields_may_be_filled_in_different_rows() -> None:
    rows = {"dest": ["a", "b"], "user": ["u", "v"], "process": ["p", None], "ip": [None, "1.2.3.4"]}
    found = match(rows, detection(risk=RISK, threats=THREATS))
    assert list(judge_rows(found, POSITIVE)) == []


def test_the_message_names_the_field_the_row_and_what_there_is_instead() -> None:
    rows = {"dest": ["a", "b"], "user_name": ["u", "v"]}
    found = match(rows, detection(risk=RISK))
    (told,) = judge_rows(found, POSITIVE)
    assert told.message.endswith("user, a risk object, is missing or null in row 0")
    assert told.hint == "the search returns dest, user_name"
    (strictly,) = judge_rows(found, POSITIVE, strict=True)
    assert strictly.message.endswith("is missing or null in rows 0, 1")


_CELL = st.sampled_from([None, "null", "", "x"])


def passes_by_contentctl(rows: list[dict[str, str | None]]) -> bool:
    """The rule told as contentctl's loop is written, for one risk and two threat fields."""
    if not rows:
        return False
    present = set()
    for row in rows:
        missing = {k for k in ("dest", "process", "ip") if row[k] in (None, "null")}
        if "dest" in missing:
            return False
        present |= {"process", "ip"} - missing
        if not missing:
            return True
    return present == {"process", "ip"}


@given(st.lists(st.fixed_dictionaries({"dest": _CELL, "process": _CELL, "ip": _CELL}), max_size=5))
def test_any_rows_pass_as_in_contentctl(rows: list[dict[str, str | None]]) -> None:
    columns = {name: [row[name] for row in rows] for name in ("dest", "process", "ip")}
    found = match(columns, detection(risk=RISK[:1], threats=THREATS))
    assert (list(judge_rows(found, POSITIVE)) == []) == passes_by_contentctl(rows)


@given(st.lists(st.fixed_dictionaries({"dest": _CELL, "process": _CELL, "ip": _CELL}), max_size=5))
def test_what_passes_strictly_passes(rows: list[dict[str, str | None]]) -> None:
    columns = {name: [row[name] for row in rows] for name in ("dest", "process", "ip")}
    found = match(columns, detection(risk=RISK[:1], threats=THREATS))
    if not list(judge_rows(found, POSITIVE, strict=True)):
        assert list(judge_rows(found, POSITIVE)) == []
