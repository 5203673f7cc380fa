"""A command that works on all fields at once gets only those that are asked for later: the rows
must be the same as with all fields.

What can go wrong is a command whose declaration leaves out a field that it reads. So each command
stands here once at least behind ``transaction``, before a command that closes the schema and names
no more than what the command makes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escudo.core.catalog import Lookup
from escudo.core.errors import EscudoError
from escudo.engines.duckdb import DuckDBEngine, connect
from escudo.engines.execute import run_compiled
from escudo.spl.binding.effects import ModelOutput
from escudo.spl.commands import COMMANDS
from escudo.spl.compile import Compiled, compile_search
from escudo.spl.parse import parse
from escudo.spl.syntax.ast import Pipeline
from tests.conformance.cases import spl_value
from tests.conformance.catalog import NOW, PlainKnowledge, RowsCatalog
from tests.spl import trees

ROWS: Sequence[Mapping[str, Any]] = (
    {"host": "h1", "user": "ann", "n": 1, "x": 10, "status": "ok", "m": ["p", "q"]},
    {"host": "h2", "user": "bob", "n": 2, "x": 30, "status": "bad", "m": ["p"]},
    {"host": "h3", "user": "cid", "n": 4, "x": 20, "status": "ok", "m": ["q", "r"]},
    {"host": "h4", "user": "dan", "n": 7, "x": 70, "status": "bad", "gap": "g"},
    {"host": "h1", "user": "ann", "n": 1, "x": 10, "status": "ok", "m": ["s"]},
    {"host": "h5", "user": "eve", "n": 900, "x": 90, "status": "ok"},
)
COMMON: Mapping[str, Any] = {
    "_raw": "a=1 b=two <k>v</k>",
    "_indextime": NOW - 60,
    "ip": "8.8.8.8",
    "doc": '{"k": "v", "l": [1, 2]}',
    "listed": "one,two",
    "markup": "<k2>v2</k2>",
    "when": NOW - 7200,
    "tag::status": ["t1", "t2"],
    "user_id": 5,
}
FIELDS = ("host", "user", "n", "x", "status", "m", "gap", "doc", "listed", "when", "user_id")


@dataclass(frozen=True)
class Use:
    """A command in use, what closes the schema after it, and a field in which it must show."""

    text: str
    closing: str
    shows: str


def use(text: str, shows: str, closing: str | None = None) -> Use:
    return Use(text, f"table {shows}" if closing is None else closing, shows.split()[0])


USES: Mapping[str, Sequence[Use]] = {
    "accum": [use("accum n AS t", "t")],
    "addcoltotals": [use("addcoltotals n", "n")],
    "addinfo": [use("addinfo", "info_search_time")],
    "addtotals": [use("addtotals fieldname=t", "t"), use("addtotals fieldname=t n x", "t")],
    "anomalydetection": [use("anomalydetection action=annotate n", "log_event_prob")],
    "append": [use("append [search index=main | table user]", "user")],
    "appendcols": [use("appendcols [search index=main | stats count AS c]", "c")],
    "appendpipe": [use("appendpipe [stats sum(n) AS t]", "t")],
    "apply": [use("apply growth AS p", "p")],
    "autoregress": [use("autoregress n p=1-2", "n_p1 n_p2"), use("autoregress n AS z", "z")],
    "bin": [
        use("bin span=2 n AS b", "b"),
        use("bin n bins=3 AS b", "b"),
        use("bin span=1h when AS b", "b"),
    ],
    "bucket": [use("bucket span=2 n AS b", "b")],
    "chart": [
        use("chart sum(n) OVER user BY status", "user", "table user ok bad"),
        use("chart count OVER x span=20", "count"),
        use('chart values(eval(user."!")) BY status', "status"),
    ],
    "collect": [use("collect index=summary", "host")],
    "convert": [
        use("convert num(n) AS c", "c"),
        use('convert timeformat="%H" ctime(when) AS c', "c"),
        use("convert num(use*_id)", "user_id"),
    ],
    "dedup": [use("dedup status", "host"), use("dedup 1 status sortby -n", "host")],
    "delta": [use("delta n AS d", "d")],
    "discretize": [use("discretize span=2 n AS b", "b")],
    "eval": [
        use("eval z=n+x", "z"),
        use("eval z=n*x", "z"),
        use("eval {status}=user", "ok bad"),
        use('eval z=if(searchmatch("user=ann"), "y", null())', "z"),
        use('eval z=mvjoin(getfields("us*"), ",")', "z"),
        use("eval z=mvmap(m, m.user)", "z"),
        use('eval z=[search index=main | head 1 | eval f="user" | return $f]', "z"),
    ],
    "eventstats": [
        use("eventstats sum(n) AS t BY status", "t"),
        use("eventstats max(use*_id) AS t_*_", "t_r_"),
    ],
    "extract": [use("extract", "a b")],
    "fieldformat": [use('fieldformat n=n."!"', "n")],
    "fields": [use("fields - user", "host"), use("fields n", "n"), use("fields us*", "user")],
    "fieldsummary": [use("fieldsummary", "field")],
    "filldown": [use("filldown gap", "gap"), use("filldown", "gap")],
    "fillnull": [use("fillnull", "gap"), use("fillnull value=9 gap", "gap")],
    "fit": [use("fit LinearRegression n FROM x AS p", "p")],
    "foreach": [use("foreach n x [eval t_<<FIELD>>=<<FIELD>>+1]", "t_n t_x")],
    "format": [use("format", "search")],
    "fromjson": [use("fromjson doc", "k")],
    "geostats": [use("geostats latfield=n longfield=x maxzoomlevel=0 sum(user_id) AS c", "c")],
    "head": [use("head 2", "host"), use("head (n<900) null=t", "host")],
    "inputlookup": [use("inputlookup append=t words", "word")],
    "iplocation": [use("iplocation ip", "Country")],
    "join": [
        use("join user [search index=main | stats sum(n) AS s BY user]", "s"),
        use("join [search index=main | stats sum(n) AS s BY user]", "s"),
    ],
    "kv": [use("kv", "a b")],
    "lookup": [use("lookup words user OUTPUT word", "word"), use("lookup words user", "word")],
    "makecontinuous": [use("makecontinuous n span=1", "n"), use("makecontinuous span=1s", "_time")],
    "makemv": [use('makemv delim="," listed', "listed", "mvexpand listed | table listed")],
    "map": [use('map search="search index=main user=$user$ | table x"', "x")],
    "multikv": [use("multikv noheader=t", "Column_1")],
    "mvcombine": [use("mvcombine user", "user")],
    "mvexpand": [use("mvexpand m", "m")],
    "nomv": [use("nomv m", "m")],
    "outlier": [use("outlier action=transform n", "n")],
    "outputlookup": [use("outputlookup words", "host")],
    "rangemap": [use("rangemap field=n low=0-3 high=4-9", "range")],
    "rare": [use("rare status", "status", ""), use("rare status BY user", "user", "")],
    "regex": [use('regex user="^a"', "host"), use('regex "two"', "host")],
    "reltime": [use("reltime timefield=when", "reltime"), use("reltime", "reltime")],
    "rename": [use("rename n AS z", "z"), use("rename us*_id AS z*_id", "zer_id")],
    "replace": [
        use("replace ann WITH zoe IN user", "user"),
        use("replace ann WITH zoe", "user"),
        use("replace ann WITH zoe IN us*", "user"),
    ],
    "require": [use("require", "user")],
    "return": [use("return 2 user", "search", "")],
    "reverse": [use("reverse", "host")],
    "rex": [
        use('rex field=user "(?<first>.)"', "first"),
        use('rex "b=(?<user>\\w+)"', "user"),
        use('rex field=user mode=sed "s/a/b/"', "user"),
    ],
    "search": [
        use("search user=ann OR n>1", "host"),
        use("search two", "host"),
        use("search _index_earliest=-2d", "host"),
        use("search [search index=main user=ann | table x]", "host"),
    ],
    "set": [
        use(
            "append [set union [search index=main | table n] [makeresults | eval n=3]]",
            "n",
            "stats values(n) AS n",
        )
    ],
    "setfields": [use('setfields z="q"', "z user")],
    "sort": [use("sort - n", "host"), use("sort status, -num(n)", "host")],
    "spath": [
        use("spath input=doc", "k"),
        use("spath input=doc path=k output=z", "z"),
        use("spath input=doc l{}", "c", "stats count(l{}) AS c"),
    ],
    "stats": [
        use("stats sum(n) AS t BY status", "t", ""),
        use("stats values(us*) AS v_*", "v_er", ""),
        use("stats count(eval(n>1)) AS c", "c", ""),
        use("stats latest(user) AS l", "l", ""),
    ],
    "strcat": [use('strcat user "-" status z', "z")],
    "uniq": [use("uniq | stats sum(n) AS t", "t")],
    **{
        name: [use(f"{name} | stats sum(n) AS t", "t")]
        for name in ("noop", "localop", "redistribute", "highlight", "iconify", "rtorder")
    },
    "sendemail": [use("sendemail to=a | stats sum(n) AS t", "t")],
    "sendalert": [use("sendalert a | stats sum(n) AS t", "t")],
    "streamstats": [
        use("streamstats sum(n) AS t BY status", "t"),
        use("streamstats reset_before=(x>20) count AS t", "t"),
    ],
    "table": [use("table n*", "n", ""), use("table user", "user", "")],
    "tags": [
        use("tags outputfield=t", "t"),
        use("tags outputfield=t inclvalue=t", "t"),
        use("tags outputfield=t inclname=t status", "t"),
    ],
    "tail": [use("tail 2", "host")],
    "timechart": [use("timechart span=1d sum(n) BY status", "ok", "table ok bad")],
    "timewrap": [use("table _time n | timewrap 1d", "latest_day")],
    "tojson": [use("tojson n user output_field=j", "j"), use("tojson output_field=j", "j")],
    "top": [use("top status", "status", ""), use("top limit=1 user BY status", "user", "")],
    "transaction": [
        use("transaction status", "n"),
        use("transaction status maxspan=1d", "n"),
        use("transaction user startswith=(x=10) mvlist=m", "m"),
        use("transaction user startswith=eval(n<900) mvlist=t", "n"),
    ],
    "transpose": [use("transpose 0", "column")],
    "trendline": [use("trendline sma2(n) AS t", "t")],
    "union": [use("union [search index=main | table user]", "user")],
    "untable": [use("untable host f v", "v")],
    "where": [use('where like(user, "a%")', "host"), use("where isnull(gap)", "host")],
    "xmlkv": [use("xmlkv markup", "k2")],
    "xyseries": [use("xyseries host status n", "ok", "table ok bad")],
}
"""Command -> ways to use it behind other commands."""

STARTING = frozenset(
    {
        "datamodel",
        "eventcount",
        "from",
        "gentimes",
        "loadjob",
        "makeresults",
        "metadata",
        "metasearch",
        "mstats",
    }
    | {"multisearch", "savedsearch", "summary", "tstats"}
)
"""Commands that only begin a search: they read no rows before them."""

NOT_RUN: Mapping[str, str] = {
    "delete": "works on events, and what looks ahead leaves none: SPL311",
    "cyberchef": "belongs to an app; it is read, and refused where it is bound",
    "dnstwist": "belongs to an app; it is read, and refused where it is bound",
}

AHEAD = (
    "transaction host",
    "transaction host maxspan=1d",
    "transaction host status mvlist=t",
    "makecontinuous n span=100",
)
"""Commands that look ahead: windows, transactions gathered one by one, made-up rows."""


@dataclass(frozen=True)
class Book(PlainKnowledge):
    """Knowledge with models by name."""

    models: Mapping[str, bytes] = field(default_factory=dict)

    def fingerprint(self) -> bytes:
        return b""

    def model(self, name: str) -> bytes | None:
        return self.models.get(name)


@dataclass(frozen=True)
class Lab:
    """A small catalog, an engine over it, and knowledge."""

    catalog: RowsCatalog
    engine: DuckDBEngine
    book: Book

    def compile(self, text: str, *, prune: bool) -> Compiled:
        return compile_search(
            text, self.catalog, self.book, now=NOW, runner=self.engine, prune=prune
        )

    def outcome(self, text: str, *, prune: bool) -> Any:
        """Names and rows of a search with what it writes, or the code of its error."""
        try:
            compiled = self.compile(text, prune=prune)
            rows = run_compiled(compiled, self.engine)
        except EscudoError as error:
            return error.code
        written = [_plain(vars(effect)) for effect in compiled.effects]
        return rows.column_names, _plain(rows), written

    def same(self, text: str) -> Any:
        """The outcome of a search, which is the same with and without pruning."""
        pruned, whole = self.outcome(text, prune=True), self.outcome(text, prune=False)
        assert pruned == whole, text
        return whole


def _plain(value: Any) -> Any:
    """Rows and effects with their cells as SPL sees them: a list of one value is the value."""
    match value:
        case pa.Table():
            return [_plain(row) for row in value.to_pylist()]
        case dict():
            return {name: _plain(inner) for name, inner in value.items()}
        case bytes():
            return value
        case _:
            return spl_value(value)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    folder: Path = tmp_path_factory.mktemp("pruning")
    catalog = RowsCatalog(folder)
    catalog.events([{**COMMON, **row} for row in ROWS])
    catalog.model("Lab.Rows", [{**COMMON, **row} for row in ROWS])
    path = folder / "words.csv"
    path.write_text("user,word\nann,alpha\nbob,beta\n", encoding="utf-8")
    lookups = {"words": Lookup("words", str(path), fields=("user", "word"))}
    engine = DuckDBEngine(catalog, connect(threads=1))
    fitting = "index=main | fit LinearRegression n FROM x INTO growth"
    plain = Lab(catalog, engine, Book(lookups_by_name=lookups))
    (model,) = plain.compile(fitting, prune=True).effects
    assert isinstance(model, ModelOutput)
    return Lab(catalog, engine, Book(lookups_by_name=lookups, models={"growth": model.content}))


def test_every_command_is_used() -> None:
    assert USES.keys() | STARTING | NOT_RUN.keys() == COMMANDS.keys()
    assert not USES.keys() & (STARTING | NOT_RUN.keys())
    assert [name for name in STARTING if not COMMANDS[name].generating] == []


_WRITTEN = [u for uses in USES.values() for u in uses]


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(u, id=u.text, marks=() if number % 10 == 0 else pytest.mark.slow)
        for number, u in enumerate(_WRITTEN)
    ],
)
def test_a_command_gets_the_fields_that_it_reads(lab: Lab, written: Use) -> None:
    closing = f" | {written.closing}" if written.closing else ""
    for ahead in (AHEAD[0], AHEAD[-1]):
        outcome = lab.same(f"index=main | {ahead} | {written.text}{closing}")
        rows = [] if isinstance(outcome, str) else outcome[1]
        if any(row.get(written.shows) is not None for row in rows):
            return
    pytest.fail(f"{written.shows} is null in all rows, so there is nothing to compare")


def test_fields_that_nobody_asks_for_are_not_read(lab: Lab) -> None:
    text = "index=main | transaction host | stats sum(n) AS t BY user"
    (scan,) = lab.compile(text, prune=True).scans
    assert {"n", "user", "host"} <= set(scan.columns)
    assert not {"x", "doc", "listed"} & set(scan.columns)


_STEPS = st.sampled_from(
    [u.text for name, uses in USES.items() if name not in ("fit", "apply", "map") for u in uses]
)
_CLOSINGS = st.sampled_from(
    [
        *(f"table {name}" for name in FIELDS),
        "table us*",
        "stats count BY status",
        "stats values(user) AS user BY n",
        "top n",
        "chart sum(x) OVER user",
    ]
)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.sampled_from(AHEAD), st.lists(_STEPS, min_size=1, max_size=3), _CLOSINGS)
def test_random_uses(lab: Lab, ahead: str, steps: list[str], closing: str) -> None:
    lab.same(" | ".join(["index=main", ahead, *steps, closing]))


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.sampled_from(AHEAD), st.lists(trees.COMMAND, min_size=1, max_size=2), _CLOSINGS)
def test_random_commands(lab: Lab, ahead: str, steps: list[Any], closing: str) -> None:
    """Over a dataset, all of whose fields are known: where events may have more, a field that is
    asked for is null, not unknown, and an option that is wrong for it is an error."""
    before, after = parse(f"| from datamodel:Lab.Rows | {ahead}"), parse(f"| {closing}")
    lab.same(Pipeline((*before.commands, *steps, *after.commands)).format())
