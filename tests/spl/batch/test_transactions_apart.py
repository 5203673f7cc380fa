"""Transactions of the values of fields apart from each other, as the workers of a cluster make
them, are those of all events together, in the same order."""

from __future__ import annotations

import random

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from escudo.spl.batch.transactions import Rules, order_transactions, transactions_of

FLAGS = ("_starts", "_ends")


def make_events(seed: int, count: int = 120) -> pa.Table:
    """Newest first, many at the same time; some have none of the fields."""
    chance = random.Random(seed)
    times = sorted((float(chance.randrange(40)) for _ in range(count)), reverse=True)
    names = [chance.choice(["a", "b", "c", None]) for _ in range(count)]
    bounds = [[n is not None and chance.random() < 0.15 for n in names] for _ in FLAGS]
    columns = {
        "_time": times,
        "host": names,
        "user": [None if n is None else chance.choice("xy") for n in names],
        "code": [str(chance.randrange(9)) for _ in range(count)],
        **dict(zip(FLAGS, bounds, strict=True)),
    }
    return pa.table(columns)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "rules",
    [
        Rules(("host",), span=5.0),
        Rules(("host",), pause=2.0, events=3, keep_orphans=True),
        Rules(("host",), starts="_starts"),
        Rules(("host",), ends="_ends", keep_evicted=True),
        Rules(("host", "user"), starts="_starts", ends="_ends", span=9.0, keep_evicted=True),
        Rules(("host", "user"), keep_orphans=True, listed=None),
    ],
    ids=str,
)
def test_parts_together_are_the_whole(rules: Rules, seed: int) -> None:
    events = make_events(seed)
    numbered = events.append_column("n", pa.array([7 * i for i in range(events.num_rows)]))
    values = numbered["host"]
    masks = [pc.equal(values, value) for value in "abc"]
    masks = [*(pc.fill_null(mask, False) for mask in masks), pc.is_null(values)]
    parts = [transactions_of(numbered.filter(m), rules, FLAGS, "n") for m in masks]
    together = order_transactions(pa.concat_tables(parts, promote_options="permissive"))
    whole = transactions_of(events, rules, FLAGS)
    assert whole.num_rows
    assert together.to_pylist() == whole.to_pylist()
