"""Findings are changed together, by who has seen what they are, and with a history."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from escudo.core.errors import EscudoError
from escudo.schedule.database import State
from escudo.triage.changes import MOST_AT_ONCE, Edit, FindingState, Triage

NEW = FindingState(status="new", urgency="low")


@pytest.fixture
def triage(tmp_path: Path) -> Iterator[Triage]:
    moments = iter(range(1_000, 1_000_000))
    with State.open(tmp_path / "state.sqlite") as state:
        yield Triage(state, clock=lambda: float(next(moments)))


def test_what_is_not_given_stays(triage: Triage) -> None:
    triage.change({"a": NEW, "b": NEW}, Edit(owner="ana"), who="ana")
    after = triage.change({"a": NEW}, Edit(status="pending", comment="Asked."), who="ben")
    assert after["a"] == FindingState(
        status="pending", owner="ana", urgency="low", changed=1_001.0, revision=2
    )
    assert triage.read(["a", "b", "c"]).keys() == {"a", "b"}
    last, first = triage.read_history("a")
    assert (last.who, last.changes, last.comment) == (
        "ben",
        {"status": ("new", "pending")},
        "Asked.",
    )
    assert (first.who, first.changes) == ("ana", {"owner": ("unassigned", "ana")})


def test_what_somebody_else_changed_is_not_overwritten(triage: Triage) -> None:
    triage.change({"a": NEW}, Edit(status="closed"), who="ana", revisions={"a": 0})
    with pytest.raises(EscudoError, match="changed meanwhile"):
        triage.change(
            {"a": NEW, "b": NEW}, Edit(owner="ben"), who="ben", revisions={"a": 0, "b": 0}
        )
    assert triage.read(["a", "b"]).keys() == {"a"}
    assert triage.read(["a"])["a"].owner == "unassigned"


def test_a_change_to_what_it_is_already_is_none(triage: Triage) -> None:
    triage.change({"a": NEW}, Edit(status="closed"), who="ana")
    after = triage.change({"a": NEW}, Edit(status="closed"), who="ben")
    assert after["a"].revision == 1
    assert len(triage.read_history("a")) == 1


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (Edit(status="done"), "TRI001"),
        (Edit(disposition="true"), "TRI001"),
        (Edit(urgency="urgent"), "TRI001"),
        (Edit(owner=""), "TRI001"),
        (Edit(comment="x" * 20_001), "TRI001"),
        (Edit(comment="  "), "TRI002"),
    ],
)
def test_what_cannot_be_is_refused(triage: Triage, edit: Edit, code: str) -> None:
    with pytest.raises(EscudoError) as error:
        triage.change({"a": NEW}, edit, who="ana")
    assert error.value.code == code
    assert triage.read_table().num_rows == 0


def test_too_many_at_once_are_refused(triage: Triage) -> None:
    many = {str(number): NEW for number in range(MOST_AT_ONCE + 1)}
    with pytest.raises(EscudoError) as error:
        triage.change(many, Edit(status="closed"), who="ana")
    assert error.value.code == "TRI003"


def test_the_table_is_read_anew_when_something_changed(triage: Triage) -> None:
    assert triage.read_table().num_rows == 0
    triage.change({"a": NEW}, Edit(status="closed"), who="ana")
    assert triage.read_table()["status"].to_pylist() == ["closed"]
    triage.change({"a": NEW}, Edit(status="new"), who="ana")
    assert triage.read_table()["status"].to_pylist() == ["new"]


def test_two_who_change_at_once_are_both_in_the_history(triage: Triage) -> None:
    people = [f"p{number}" for number in range(8)]
    threads = [
        threading.Thread(
            target=lambda who=who: triage.change({"a": NEW}, Edit(comment=who), who=who)
        )
        for who in people
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert triage.read(["a"])["a"].revision == len(people)
    assert sorted(entry.comment for entry in triage.read_history("a")) == people
