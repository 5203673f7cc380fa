from __future__ import annotations

import pytest

from escudo import content
from escudo.core.errors import EscudoError
from escudo.findings import judge_match
from tests.findings.matches import detection, match, schemas

DEPLOYMENTS = content.load().deployments


@pytest.mark.parametrize(
    ("kind", "risk", "notable"),
    [("TTP", 1, 1), ("Anomaly", 1, 0), ("Hunting", 0, 0), ("Correlation", 0, 1)],
)
def test_what_a_row_brings_about_by_type(kind: str, risk: int, notable: int) -> None:
    found = judge_match(match({"dest": ["a"]}, detection(type=kind)), DEPLOYMENTS, schemas())
    assert (found.risk_events.num_rows, found.findings.num_rows) == (risk, notable)


def test_equal_rows_count_once() -> None:
    found = judge_match(match({"dest": ["a", "b", "a"]}), DEPLOYMENTS, schemas())
    assert (found.risk_events.num_rows, found.findings.num_rows) == (2, 2)
    assert found.match.rows.num_rows == 2


def test_odd_things_are_reported() -> None:
    own = detection("$gone$", risk=[("user", "user", 1)])
    found = judge_match(match({"dest": ["a"]}, own), DEPLOYMENTS, schemas())
    assert {d.code for d in found.diagnostics} == {"FND002", "FND003", "FND004"}


def test_a_type_without_a_deployment() -> None:
    with pytest.raises(EscudoError, match="FND102"):
        judge_match(match({"dest": ["a"]}), {}, schemas())
