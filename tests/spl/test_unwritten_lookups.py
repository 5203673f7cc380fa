"""A lookup that the content writes is empty until its search has run, and it is said so."""

from __future__ import annotations

import pytest

from escudo.content.knowledge import ContentKnowledge
from escudo.core.catalog import Lookup
from escudo.engines.execute import run_search
from escudo.lake import Lake
from tests.shared_engine import engine_over

SEARCHES = {"A Baseline": "index=a | outputlookup seen.csv | outputlookup seen_users"}
LOOKUPS = {"seen_users": Lookup("seen_users", collection="seen_users", fields=("user", "first"))}


@pytest.mark.parametrize(
    ("search", "rows"),
    [
        ("| makeresults | eval user=1 | lookup seen.csv user OUTPUT first | table user first", 1),
        ("| makeresults | eval user=1 | lookup seen_users user OUTPUT first | table first", 1),
        ("| inputlookup seen.csv", 0),
        ("| inputlookup seen.csv | stats min(first) as first by user", 0),
        ("| makeresults | eval user=1 | inputlookup append=t seen.csv | table user", 1),
    ],
)
def test_it_is_empty_and_said_to_be(search: str, rows: int) -> None:
    knowledge = ContentKnowledge({}, LOOKUPS, SEARCHES, [])
    with Lake.create_temporary() as lake:
        found = run_search(search, engine_over(lake), lake, knowledge, now=1_795_000_000.0)
    assert found.table.num_rows == rows
    assert [d.code for d in found.diagnostics] == ["SPL340"]
    assert "'A Baseline'" in found.diagnostics[0].message
