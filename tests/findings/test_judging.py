from __future__ import annotations

import pyarrow as pa
import pytest

from escudo import content
from escudo.core.errors import EscudoError
from escudo.detect.running import ROWS_AT_ONCE
from escudo.findings import judge_match
from escudo.findings.rows import hash_rows
from tests.findings.matches import column, detection, match, schemas

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


@pytest.mark.slow
def test_a_match_of_several_parts_is_judged_as_one() -> None:
    count = 2 * ROWS_AT_ONCE + 9
    # No row of the first part has a host.
    hosts = [None if i < ROWS_AT_ONCE or i % 3 == 0 else f"h{i}" for i in range(count)]
    rows = pa.table({"dest": hosts + hosts[:5], "n": [*range(count), *range(5)]})
    own = detection("$gone$ on $dest$", [("dest", "system", 1)])
    found = judge_match(match(rows, own), DEPLOYMENTS, schemas())
    nobody = sum(host is None for host in hosts)
    assert found.match.rows.num_rows == found.findings.num_rows == count
    assert column(found.risk_events, "risk_object") == [h for h in hosts if h is not None]
    assert column(found.findings, "event_hash") == hash_rows(own.id, rows).to_pylist()[:count]
    by_code = {d.code: d.message for d in found.diagnostics}
    assert (
        sorted(by_code)
        == sorted(d.code for d in found.diagnostics)
        == ["FND001", "FND003", "FND004"]
    )
    assert f"{nobody} of {count} rows have no dest" in by_code["FND001"]
