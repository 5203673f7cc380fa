"""The tables are consistent: names resolve, children start while their parents run."""

from __future__ import annotations

import pytest

from escudo.generate.catalog import Tree, load_catalog
from escudo.generate.day import stay_names

CATALOG = load_catalog()
TREES = [CATALOG.boot, CATALOG.logon, CATALOG.campaign, *CATALOG.activities]


@pytest.mark.parametrize("tree", TREES, ids=lambda t: t.name)
def test_parents_exist(tree: Tree) -> None:
    known = set(stay_names(CATALOG))
    for step in tree.steps:
        assert step.of is None or step.of in known or step.of in {s.id for s in tree.steps}
        known.add(step.id)


@pytest.mark.parametrize("tree", TREES, ids=lambda t: t.name)
def test_children_start_while_their_parent_runs(tree: Tree) -> None:
    steps = {s.id: s for s in tree.steps}
    for step in tree.steps:
        parent = steps.get(step.of or "")
        if parent is not None and parent.life is not None:
            assert step.delay[1] <= parent.life[0], step.id


@pytest.mark.parametrize("tree", TREES, ids=lambda t: t.name)
def test_pools_exist(tree: Tree) -> None:
    for step in tree.steps:
        for side in step.sides:
            assert side.kind == "logon" or (side.kind, side.pool) in CATALOG.pools


def test_all_programs_are_used() -> None:
    used = {step.program for tree in TREES for step in tree.steps}
    unused = {p.name for i, p in enumerate(CATALOG.programs) if i not in used}
    assert unused == set()
