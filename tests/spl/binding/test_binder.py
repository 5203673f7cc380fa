"""What binding reads, when it runs what is bound so far, and what it leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from sqlglot import exp

from escudo.core.catalog import Lookup
from escudo.core.errors import EscudoError
from escudo.core.schema import FieldType
from escudo.core.timerange import TimeRange
from escudo.engines.duckdb import DuckDBEngine, connect
from escudo.engines.execute import run_search
from escudo.spl.binding.effects import Deletion, IndexOutput, LookupOutput, ModelOutput
from escudo.spl.compile import Compiled, compile_search
from escudo.spl.relation.scans import Scan
from tests.spl.world import Words, World, stored

NOW = 1_700_000_000.0


class NoRunner:
    """Fails where binding runs anything."""

    def run(
        self, query: exp.Expression, scans: Sequence[Scan], tables: Mapping[str, pa.Table]
    ) -> pa.Table:
        raise AssertionError("nothing has to be run")


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    rows = [
        {"_time": NOW - 10, "user": "ann", "n": "1", "x": "rest"},
        {"_time": NOW - 20, "user": "bob", "n": "2"},
    ]
    values = {"source": frozenset({"A"}), "sourcetype": frozenset({"st"})}
    world.family(
        "a", stored("user", "n", "wide"), [r | {"source": "A"} for r in rows], values=values
    )
    other = {"source": frozenset({"B"})}
    world.family(
        "b",
        stored("user", m=FieldType.MULTIVALUE),
        [{"_time": NOW - 15, "user": "cid", "m": ["p", "q"], "source": "B", "n": "9"}],
        values=other,
    )
    return world


def compiled(text: str, world: World, words: Words | None = None, **options: object) -> Compiled:
    return compile_search(text, world, words or Words(), now=NOW, **options)  # type: ignore[arg-type]


def found(text: str, world: World, words: Words | None = None, **options: object) -> list[dict]:
    engine = DuckDBEngine(world, connect(threads=1))
    result = run_search(text, engine, world, words or Words(), now=NOW, **options)  # type: ignore[arg-type]
    return result.table.to_pylist()


def tables(search: Compiled) -> list[str]:
    return sorted(s.schema.table for s in search.scans)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("source=A", ["a"]),
        ("source=B OR source=C", ["b"]),
        ("NOT source=A", ["a", "b"]),
        ("source!=A", ["b"]),
        ("sourcetype=other", ["b"]),
        ("source=A source=B", []),
        ("user=ann", ["a", "b"]),
    ],
)
def test_families_that_cannot_match_are_not_read(world: World, text: str, read: list[str]) -> None:
    assert tables(compiled(f"{text} | table user", world)) == read


def test_a_scan_reads_the_columns_that_are_asked_for(world: World) -> None:
    search = compiled("source=A | stats count by user", world)
    (scan,) = search.scans
    assert set(scan.columns) <= {"user", "source", "_time", "_event_id"}
    assert "wide" not in scan.columns


def test_every_family_resolves_a_field_in_its_own_way(world: World) -> None:
    rows = found("* | sort user | table user n m x", world)
    assert rows == [
        {"user": "ann", "n": "1", "m": None, "x": "rest"},
        {"user": "bob", "n": "2", "m": None, "x": None},
        {"user": "cid", "n": "9", "m": ["p", "q"], "x": None},
    ]


def test_all_fields_of_events_are_shown(world: World) -> None:
    rows = found("user=ann OR user=cid", world)
    assert [(r["user"], r["n"], r["x"]) for r in rows] == [("ann", "1", "rest"), ("cid", "9", None)]


def test_events_arrive_newest_first(world: World) -> None:
    assert [r["user"] for r in found("* | table user", world)] == ["ann", "cid", "bob"]


@pytest.mark.parametrize(
    ("text", "within"),
    [
        ("user=*", TimeRange(1.0, 2.0)),
        ("user=* earliest=5 latest=9", TimeRange(5.0, 9.0)),
        ("(user=* (earliest=5)) latest=9", TimeRange(5.0, 9.0)),
        ("| tstats count where index=* earliest=5 latest=9", TimeRange(5.0, 9.0)),
    ],
)
def test_the_range_of_scans(world: World, text: str, within: TimeRange) -> None:
    search = compiled(text, world, within=TimeRange(1.0, 2.0))
    assert {s.within for s in search.scans} == {within}
    assert "_time" in search.scans[0].columns


def test_ranges_are_half_open(world: World) -> None:
    rows = found("* | table user", world, within=TimeRange(NOW - 20, NOW - 10))
    assert [r["user"] for r in rows] == ["cid", "bob"]


@pytest.mark.parametrize(
    "text",
    [
        "user=ann | stats count by user | sort - count | head 3",
        "user=* | eval z=n+1 | where z>1 | table z",
        "user=* | dedup user | table user n",
        "user=* | streamstats count by user | eventstats max(count) as m | table m",
    ],
)
def test_most_searches_bind_without_running(world: World, text: str) -> None:
    assert compiled(text, world, runner=NoRunner()).deferred == ()


@pytest.mark.parametrize(
    "text",
    [
        "user=* | join user [search source=B | stats count by user] | stats count",
        "user=* | append [search source=A | table user] | table user",
    ],
)
def test_subsearches_run_only_to_know_whether_a_limit_cuts_them(world: World, text: str) -> None:
    assert compiled(text, world, runner=None).deferred == ()


@pytest.mark.parametrize(
    "text",
    [
        "user=* [search source=B | table user] | table user",
        "user=* | chart count by user source",
        "user=* | stats count by user | transpose",
        "user=* | transaction user startswith=(n=1) | table user",
        "* | fillnull | stats count by user",
        '* | map search="search user=$user$ | table n"',
        "* | fit DensityFunction n into m",
    ],
)
def test_without_a_runner_what_depends_on_data_is_left_open(world: World, text: str) -> None:
    search = compiled(text, world)
    assert search.deferred


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("source=A | table user", [[0], [1]]),
        ("source=A | stats count", [[0, 1]]),
        ("source=A | stats count by user | stats count", [[0, 1]]),
        ("source=A | head 1 | eval z=1 | table z", [[0]]),
        ("source=A | sort - n | dedup user | table n", [[1], [0]]),
        (
            "source=A | stats count by user | append [search source=B | stats count] | table count",
            [[0], [1], [0]],
        ),
        ("source=A | transaction user startswith=(n=2) | table user", [[1]]),
        ("source=A | stats count by user | transpose", None),
    ],
)
def test_rows_carry_the_events_that_made_them(
    world: World, text: str, ids: list[list[int]] | None
) -> None:
    rows = found(text, world, provenance=True)
    if ids is None:
        assert all("_event_id" not in r for r in rows)
    else:
        assert [r["_event_id"] for r in rows] == ids


def test_effects_are_recorded_not_done(world: World, tmp_path: Path) -> None:
    engine = DuckDBEngine(world, connect(threads=1))
    words = Words()
    words.tables["t"] = Lookup("t", str(tmp_path / "t.csv"), fields=("user",))

    def effects(text: str) -> tuple[object, ...]:
        return compile_search(text, world, words, now=NOW, runner=engine).effects

    (lookup,) = effects("source=A | table user | outputlookup t append=t")
    assert isinstance(lookup, LookupOutput)
    assert lookup.append
    assert lookup.rows.to_pylist() == [{"user": "ann"}, {"user": "bob"}]
    assert not (tmp_path / "t.csv").exists()
    (events,) = effects("source=A | table user | collect index=summary")
    assert isinstance(events, IndexOutput)
    assert (events.index, events.rows.num_rows) == ("summary", 2)
    (deletion,) = effects("user=bob | delete")
    assert deletion == Deletion([1])
    (model,) = effects("source=A | fit DensityFunction n into m")
    assert isinstance(model, ModelOutput)
    assert model.model == "m"
    assert compiled("source=A | outputlookup t", world, words).effects == ()


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ("| tstats count from datamodel=Endpont.Processes", "SPL310", None),
        ("* | tstats count", "SPL311", None),
        ("| stats count", "SPL311", None),
        ("* | lookup nosuch a", "SPL313", None),
        ("| savedsearch nosuch", "SPL312", None),
        ('* | rex "(a)"', "SPL316", None),
        ("* | fit Oracle a from b", "SPL318", None),
        ("* | apply pretrained_dga_model_dsdl", "SPL318", None),
        ("* | rename a* as b", "SPL104", None),
    ],
)
def test_errors_point_at_their_place(world: World, text: str, code: str, hint: str | None) -> None:
    with pytest.raises(EscudoError) as caught:
        compiled(text, world)
    assert caught.value.code == code
    assert caught.value.diagnostic.span is not None
    assert caught.value.diagnostic.source == text


def test_identifiers_do_not_collide_without_regard_to_case(world: World) -> None:
    rows = found("source=A | eval USER=1, User=2 | sort n | table user USER User", world)
    assert rows[0] == {"user": "ann", "USER": 1.0, "User": 2.0}


def test_search_time_fields_are_compiled_where_asked_for(tmp_path: Path) -> None:
    world = World(tmp_path)
    computed = {"dest": "coalesce(dest, host)", "up": "upper(dest)", "never": "null()"}
    world.family("a", stored("user"), [{"user": "ann", "host": "h"}], computed=computed)
    assert found("* | table up never", world) == [{"up": "H", "never": None}]
    assert found("never=* | stats count", world) == [{"count": 0}]
    assert found("dest=H | table dest", world) == [{"dest": "h"}]
