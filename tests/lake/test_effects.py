"""What searches write into a lake, and what later searches see of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from escudo.content import ContentKnowledge
from escudo.core.catalog import Lookup
from escudo.core.errors import EscudoError
from escudo.core.timerange import ALL_TIME, TimeRange
from escudo.engines.execute import run_search
from escudo.lake import Lake, maintenance
from escudo.lake.effects import Change, carry_out
from escudo.lake.knowledge import LakeKnowledge
from escudo.lake.ledger import Ledger
from escudo.spl.binding.effects import Effect
from tests.shared_engine import engine_over

NOW = 1_700_000_000.0
"""2023-11-14T22:13:20Z."""

Rows = list[dict[str, Any]]


@dataclass
class Desk:
    """A lake, some lookup definitions, and searches over both."""

    lake: Lake
    lookups: dict[str, Lookup] = field(default_factory=dict)
    changes: Sequence[Change] = ()

    @property
    def content(self) -> ContentKnowledge:
        return ContentKnowledge({}, self.lookups, {}, ())

    def effects(self, text: str, within: TimeRange = ALL_TIME) -> tuple[Rows, tuple[Effect, ...]]:
        snapshot = self.lake.snapshot()
        result = run_search(
            text,
            engine_over(snapshot),
            snapshot,
            LakeKnowledge(self.content, self.lake.artifacts),
            now=NOW,
            within=within,
        )
        rows = [{k: v for k, v in row.items() if v is not None} for row in result.table.to_pylist()]
        return rows, result.compiled.effects

    def run(
        self,
        text: str,
        *,
        may_delete: bool = False,
        may_write_internal: bool = False,
        within: TimeRange = ALL_TIME,
    ) -> Rows:
        rows, effects = self.effects(text, within)
        self.changes = carry_out(
            effects,
            self.lake,
            self.content,
            search="a search",
            may_delete=may_delete,
            may_write_internal=may_write_internal,
        )
        return rows


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Lake.open(tmp_path / "lake") as lake:
        yield Desk(lake)


def makes(rows: Rows) -> str:
    """A search that gives rows."""
    text = json.dumps(rows).replace("\\", "\\\\").replace('"', '\\"')
    return f'| makeresults format=json data="{text}" | fields - _time _raw'


# --- lookups (Search Reference: outputlookup) ----------------------------------------------------


def test_a_lookup_is_there_afterwards(desk: Desk) -> None:
    desk.run(makes([{"a": "x", "n": "1"}, {"a": "y", "n": "2"}]) + " | outputlookup t.csv")
    assert desk.run("| inputlookup t.csv") == [{"a": "x", "n": "1"}, {"a": "y", "n": "2"}]
    assert desk.run('| from inputlookup:"t.csv" | stats count') == [{"count": 2}]
    found = desk.run('| makeresults | eval a="y" | lookup t.csv a OUTPUT n | table n')
    assert found == [{"n": "2"}]


def test_it_survives_the_lake_being_closed(tmp_path: Path) -> None:
    with Lake.open(tmp_path) as lake:
        Desk(lake).run(makes([{"a": "x"}]) + " | outputlookup t")
    with Lake.open(tmp_path, create=False) as lake:
        assert Desk(lake).run("| inputlookup t") == [{"a": "x"}]


def test_blanks_quotes_and_lines_stay_as_they_are(desk: Desk) -> None:
    cells = [{"a": ' padded "quoted", '}, {"a": "two\nlines"}, {"a": "größer"}]
    desk.run(makes(cells) + " | outputlookup t")
    assert desk.run("| inputlookup t") == cells
    assert (
        desk.run('| makeresults | eval a=" padded \\"quoted\\", " | lookup t a OUTPUT a AS b')[0][
            "b"
        ]
        == ' padded "quoted", '
    )


def test_the_lake_goes_before_the_content_and_leaves_it_alone(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "staff.csv"
    file.write_text("name,team\nann,red\n")
    desk.lookups = {"staff": Lookup("staff", str(file)), "staff.csv": Lookup("staff", str(file))}
    desk.run(
        makes([{"name": "bob", "team": "blue", "new": "1"}]) + " | outputlookup append=t staff"
    )
    after = [{"name": "ann", "team": "red"}, {"name": "bob", "team": "blue"}]
    assert desk.run("| inputlookup staff.csv") == after
    assert desk.run("| inputlookup staff") == after
    assert file.read_text() == "name,team\nann,red\n"


def test_only_the_fields_of_the_file_are_appended(desk: Desk) -> None:
    """The manual's example: the file has A, D and J, the search A, C and J."""
    desk.run(makes([{"A": "1", "D": "2", "J": "3"}]) + " | outputlookup users")
    desk.run(makes([{"A": "4", "C": "5", "J": "6"}]) + " | outputlookup append=true users")
    assert desk.run("| inputlookup users") == [
        {"A": "1", "D": "2", "J": "3"},
        {"A": "4", "J": "6"},
    ]
    desk.run(makes([{"A": "4", "C": "5", "J": "6"}]) + " | outputlookup users")
    assert desk.run("| inputlookup users") == [{"A": "4", "C": "5", "J": "6"}]


NOTHING = makes([{"a": "x"}]) + " | where a=1"


def test_no_rows_take_the_file_away(desk: Desk) -> None:
    desk.run(makes([{"a": "x"}]) + " | outputlookup t.csv")
    desk.run(NOTHING + " | outputlookup t.csv")
    with pytest.raises(EscudoError, match="SPL313"):
        desk.run("| inputlookup strict=true t.csv")


def test_no_rows_leave_the_file_if_asked_to(desk: Desk) -> None:
    desk.run(makes([{"a": "x"}]) + " | outputlookup t.csv")
    desk.run(NOTHING + " | outputlookup override_if_empty=false t.csv")
    desk.run(NOTHING + " | outputlookup append=true t.csv")
    assert desk.run("| inputlookup t.csv") == [{"a": "x"}]


def test_no_rows_make_an_empty_file_if_asked_to(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("a\nfrom the content\n")
    desk.lookups = {"t": Lookup("t", str(file), fields=("a",))}
    desk.run(NOTHING + " | outputlookup create_empty=true t")
    assert desk.run("| inputlookup t") == []
    desk.run(NOTHING + " | outputlookup t")
    assert desk.run("| inputlookup t") == [{"a": "from the content"}]


def test_values_of_a_file_are_one_text_unless_they_shall_be_apart(desk: Desk) -> None:
    several = '| makeresults | eval a=split("x;$y","; ") | eval a=split("x,$y", ",") | table a'
    desk.run(several + " | outputlookup t")
    assert desk.run("| inputlookup t") == [{"a": "x $y"}]
    desk.run(several + " | outputlookup output_format=splunk_mv_csv t")
    assert desk.run("| inputlookup t") == [{"a": ["x", "$y"]}]
    assert "$x$;$$$y$" in (desk.lake.path / "lookups" / "t.csv").read_text()


@pytest.fixture
def accounts(desk: Desk) -> Desk:
    desk.lookups = {
        "accounts": Lookup("accounts", collection="kv_accounts", fields=("_key", "id", "name"))
    }
    desk.run(
        makes([{"id": "1", "name": "ann"}, {"id": "2", "name": "bob"}])
        + " | outputlookup key_field=id accounts"
    )
    return desk


NAMES = "| inputlookup accounts | table id name"


def test_a_collection_keeps_the_fields_of_its_definition(accounts: Desk) -> None:
    accounts.run(makes([{"id": "3", "name": "eve", "other": "x"}]) + " | outputlookup accounts")
    (row,) = accounts.run("| inputlookup accounts")
    assert {n: row[n] for n in ("id", "name")} == {"id": "3", "name": "eve"}
    assert set(row) == {"_key", "id", "name"}


def test_key_field_replaces_records_and_adds_others(accounts: Desk) -> None:
    rows = makes([{"id": "2", "name": "rob"}, {"id": "3", "name": "eve"}])
    accounts.run(rows + " | outputlookup key_field=id accounts")
    assert accounts.run(NAMES) == [
        {"id": "1", "name": "ann"},
        {"id": "2", "name": "rob"},
        {"id": "3", "name": "eve"},
    ]
    accounts.run(
        makes([{"id": "9", "name": "zoe"}]) + " | outputlookup append=false key_field=id accounts"
    )
    assert accounts.run(NAMES) == [{"id": "9", "name": "zoe"}]


def test_without_updates_only_new_records_come_in(accounts: Desk) -> None:
    rows = makes([{"id": "2", "name": "rob"}, {"id": "3", "name": "eve"}])
    accounts.run(rows + " | outputlookup key_field=id allow_updates=false accounts")
    assert accounts.run(NAMES + " | where id>1") == [
        {"id": "2", "name": "bob"},
        {"id": "3", "name": "eve"},
    ]


def test_a_record_that_was_read_is_replaced(accounts: Desk) -> None:
    accounts.run(
        '| inputlookup accounts | search id=2 | eval name="rob" | outputlookup append=t accounts'
    )
    assert accounts.run(NAMES) == [{"id": "1", "name": "ann"}, {"id": "2", "name": "rob"}]


def test_rows_without_the_key_field_are_refused(accounts: Desk) -> None:
    with pytest.raises(EscudoError, match="LAK014"):
        accounts.run(makes([{"name": "x"}]) + " | outputlookup key_field=id accounts")
    assert len(accounts.run(NAMES)) == 2


def test_values_of_a_collection_stay_apart(accounts: Desk) -> None:
    accounts.run('| makeresults | eval id=4, name=split("a,b", ",") | outputlookup accounts')
    assert accounts.run(NAMES) == [{"id": "4", "name": ["a", "b"]}]


def test_a_name_is_no_path(desk: Desk, tmp_path: Path) -> None:
    desk.run(makes([{"a": "x"}]) + ' | outputlookup "../../outside.csv"')
    assert not (tmp_path / "outside.csv").exists()
    assert desk.run('| inputlookup "../../outside.csv"') == [{"a": "x"}]


def test_a_folder_that_cannot_be_written(desk: Desk) -> None:
    (desk.lake.path / "lookups").write_text("a file is in the way")
    with pytest.raises(EscudoError, match="LAK013"):
        desk.run(makes([{"a": "x"}]) + " | outputlookup t")


# --- events (Search Reference: collect) ----------------------------------------------------------


def test_collected_events_are_found(desk: Desk) -> None:
    desk.run(
        '| makeresults | eval user="ann", n=5 '
        '| collect index=mine marker="kind=test, by=\\"me too\\""'
    )
    assert desk.changes == (Change("index", "mine", 1),)
    found = desk.run("index=mine user=ann kind=test | table sourcetype source n by _time")
    assert found == [
        {"sourcetype": "stash", "source": "a search", "n": "5", "by": "me too", "_time": NOW}
    ]
    (row,) = desk.run("index=mine | table _raw")
    assert row["_raw"] == (
        '11/14/2023 22:13:20 +0000, info_min_time="0.000", info_max_time="+Infinity", '
        'info_search_time="1700000000.000", user=ann, n=5, kind=test, by="me too"'
    )


def test_what_an_event_is_called(desk: Desk) -> None:
    desk.run(
        '| makeresults | eval host="h1", a=1 '
        "| collect index=i host=h2 source=s sourcetype=st addinfo=f addtime=f"
    )
    assert desk.run("index=i | table host source sourcetype extracted_host _raw") == [
        {
            "host": "h2",
            "source": "s",
            "sourcetype": "st",
            "extracted_host": "h1",
            "_raw": "host=h1, a=1",
        }
    ]


def test_hec_events_keep_their_names(desk: Desk) -> None:
    """The manual's example of output_format=hec."""
    desk.run(
        '| makeresults | eval source="mysource", sourcetype="mysourcetype", host="myhost", '
        'sentinel="4", _raw="this is an event with a key=value pair" '
        "| collect index=main output_format=hec"
    )
    assert desk.run("index=main | table _raw host sentinel source sourcetype") == [
        {
            "_raw": "this is an event with a key=value pair",
            "host": "myhost",
            "sentinel": "4",
            "source": "mysource",
            "sourcetype": "mysourcetype",
        }
    ]


def test_events_without_a_time_begin_with_the_range(desk: Desk) -> None:
    desk.run(makes([{"a": "1"}]) + " | collect index=i", within=TimeRange(1_000.0, 2_000.0))
    desk.run(makes([{"a": "2"}]) + " | collect index=i")
    assert desk.run("index=i | sort a | table a _time") == [
        {"a": "1", "_time": 1_000.0},
        {"a": "2", "_time": NOW},
    ]


def test_the_index_is_summary_unless_it_is_named(desk: Desk) -> None:
    desk.run(makes([{"a": "1"}]) + " | collect")
    assert desk.run("index=summary | stats count") == [{"count": 1}]


def test_risk_that_is_collected_is_risk(desk: Desk) -> None:
    desk.run(
        '| makeresults | eval risk_object="ann", risk_score=20, risk_object_type="user" '
        "| collect index=risk"
    )
    assert desk.run(
        "| tstats sum(All_Risk.calculated_risk_score) AS score from datamodel=Risk.All_Risk "
        "by All_Risk.risk_object"
    ) == [{"All_Risk.risk_object": "ann", "score": 20.0}]


def test_test_mode_shows_the_events_and_writes_none(desk: Desk) -> None:
    (row,) = desk.run(makes([{"a": "1"}]) + " | collect index=i testmode=true addinfo=false")
    assert row["_raw"] == "11/14/2023 22:13:20 +0000, a=1"
    assert (row["index"], row["sourcetype"]) == ("i", "stash")
    assert desk.run("index=i") == []


def test_internal_indexes_need_the_right(desk: Desk) -> None:
    search = "| makeresults | eval a=1 | collect index=_audit | outputlookup t"
    with pytest.raises(EscudoError, match="LAK025") as refused:
        desk.run(search)
    assert "_audit is internal; nothing was changed" in str(refused.value)
    assert desk.run("index=_audit | table a") == []
    desk.run(search, may_write_internal=True)
    assert [row["a"] for row in desk.run("index=_audit | table a")] == ["1"]


# --- deletions (Search Reference: delete) --------------------------------------------------------


@pytest.mark.slow
def test_deleted_events_are_gone(desk: Desk) -> None:
    desk.run(makes([{"a": str(n)} for n in range(10)]) + " | collect index=i")
    desk.run(makes([{"a": "3"}]) + " | collect index=other")
    before = desk.lake.snapshot()
    desk.run("index=i a>6 | delete", may_delete=True)
    assert desk.changes == (Change("deletion", "", 3),)
    assert desk.run("index=i | stats count max(a) AS a") == [{"count": 7, "a": "6"}]
    assert desk.run("index=other | stats count") == [{"count": 1}]
    maintenance.compact(desk.lake)
    assert desk.run("index=* | stats count") == [{"count": 8}]
    assert before.commit.id < desk.lake.snapshot().commit.id


def test_deleting_takes_a_right(desk: Desk) -> None:
    desk.run(makes([{"a": "1"}]) + " | collect index=i")
    with pytest.raises(EscudoError, match="LAK015"):
        desk.run("index=i | delete")
    assert desk.run("index=i | stats count") == [{"count": 1}]
    desk.run("index=nothing | delete")  # nothing to delete, nothing to refuse


def test_without_the_right_the_rest_is_not_done_either(desk: Desk) -> None:
    desk.run(makes([{"a": "1"}]) + " | collect index=i")
    with pytest.raises(EscudoError, match="LAK015"):
        desk.run("index=i | delete | outputlookup t")
    assert not (desk.lake.path / "lookups").exists()


# --- models --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_model_is_applied_later(desk: Desk) -> None:
    train = makes([{"x": str(n % 10), "y": str(2 * (n % 10))} for n in range(50)])
    desk.run(train + " | fit LinearRegression y from x into app:line")
    desk.run(train + " | fit DensityFunction x threshold=0.01 dist=norm into usual")
    assert {c.name for c in desk.changes} == {"usual"}
    (row,) = desk.run(
        '| makeresults | eval x=20 | apply line as y | apply usual | table y "IsOutlier(x)"'
    )
    assert row["y"] == pytest.approx(40)
    assert row["IsOutlier(x)"] == 1
    assert desk.run(
        '| summary line | where feature="x" | eval c=round(coefficient, 6) | table c'
    ) == [{"c": 2.0}]


def test_a_model_of_nothing_does_not_replace_one(desk: Desk) -> None:
    desk.run(makes([{"x": str(n)} for n in range(9)]) + " | fit DensityFunction x into m")
    desk.run(NOTHING + " | fit DensityFunction x into m")
    assert desk.changes == ()
    assert desk.run(
        "| makeresults | eval x=500 | apply m | where 'IsOutlier(x)'=1 | stats count"
    ) == [{"count": 1}]


def test_a_damaged_model_is_an_error(desk: Desk) -> None:
    desk.lake.artifacts.keep_model("m", b"no model")
    with pytest.raises(EscudoError, match="SPL319"):
        desk.run("| makeresults | apply m")


# --- jobs ----------------------------------------------------------------------------------------


def test_kept_results_are_loaded(desk: Desk) -> None:
    snapshot = desk.lake.snapshot()
    result = run_search(
        '| makeresults | eval a=split("x,y", ","), n=1.5',
        engine_over(snapshot),
        snapshot,
        desk.content,
        now=NOW,
    )
    desk.lake.artifacts.keep_job("nightly", result.table)
    assert desk.run("| loadjob nightly") == [{"_time": NOW, "a": ["x", "y"], "n": 1.5}]
    assert desk.run('| loadjob savedsearch="admin:search:nightly" | table n') == [{"n": 1.5}]
    with pytest.raises(EscudoError, match="SPL321"):
        desk.run("| loadjob weekly")


# --- whole or absent -----------------------------------------------------------------------------


def test_a_writer_that_dies_leaves_the_old_file(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.run(makes([{"a": "old"}]) + " | outputlookup t")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("escudo.lake.artifacts.os.replace", die)
    with pytest.raises(KeyboardInterrupt):
        desk.run(makes([{"a": "new"}]) + " | outputlookup t")
    monkeypatch.undo()
    assert desk.run("| inputlookup t") == [{"a": "old"}]
    assert [p.name for p in (desk.lake.path / "lookups").iterdir()] == ["t.csv"]


@pytest.mark.slow
def test_several_append_at_once(desk: Desk) -> None:
    """Two lakes over one folder take turns, so no row is lost."""
    with Lake.open(desk.lake.path, create=False) as second:
        other = Desk(second)
        for n in range(5):
            for one in (desk, other):
                one.run(makes([{"n": str(n)}]) + " | outputlookup append=t t")
    assert desk.run("| inputlookup t | stats count") == [{"count": 10}]
    assert isinstance(desk.lake.ledger, Ledger)
