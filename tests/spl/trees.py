"""Random syntax trees of SPL, for laws that hold for all of them.

A command's strategy is made from the types of its fields; ``OVERRIDES`` narrows fields whose type
says less than the language does.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass, replace

from hypothesis import strategies as st

from escudo.spl.binding.binder import Command
from escudo.spl.commands import COMMANDS
from escudo.spl.commands.autoregress import Autoregress
from escudo.spl.commands.chart.chart import Chart
from escudo.spl.commands.chart.timechart import Timechart
from escudo.spl.commands.convert import FUNCTIONS as CONVERSIONS
from escudo.spl.commands.foreign import APPS
from escudo.spl.commands.from_ import KINDS
from escudo.spl.commands.join import Join
from escudo.spl.commands.loadjob import Loadjob
from escudo.spl.commands.lookup import Lookup
from escudo.spl.commands.map import Map
from escudo.spl.commands.noop import WITHOUT_EFFECT
from escudo.spl.commands.return_ import Returned
from escudo.spl.commands.transaction.transaction import Boundary
from escudo.spl.commands.tstats import Tstats
from escudo.spl.syntax import ast
from escudo.spl.syntax.aggregate_terms import Aggregate
from escudo.spl.syntax.parse_search import TIME_MODIFIERS
from escudo.spl.syntax.series_options import SplitWhere
from escudo.spl.syntax.spans import BinSpan
from escudo.spl.syntax.unparse import BINDING

_PLAIN = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.]{0,7}", fullmatch=True)
_ODD = st.text(st.sampled_from("ab \"'\\*{}-+:,()=<>!|[]%$@é\t"), min_size=1, max_size=8)
_KEYWORDS = st.sampled_from(
    ["by", "AS", "where", "from", "output", "OVER", "in", "with", "NOT", "or", "desc", "span", "7"]
)
EXISTING = ("host", "user", "n", "x", "status", "m")
"""Names of fields that ``test_pruning`` has rows of."""
NAMES = st.one_of(
    st.sampled_from(EXISTING), st.sampled_from(EXISTING), _PLAIN, _PLAIN, _ODD, _KEYWORDS
)

_NUMBERS = st.one_of(
    st.integers(0, 10**9), st.floats(0, 1e12, allow_nan=False, allow_infinity=False)
)
_FUNCTIONS = st.sampled_from(["if", "case", "match", "coalesce", "round", "mvindex", "isnull"])


def _eval_deeper(inner: st.SearchStrategy[ast.EvalExpr]) -> st.SearchStrategy[ast.EvalExpr]:
    binary = st.sampled_from(sorted(BINDING))
    return st.one_of(
        st.builds(ast.Binary, binary, inner, inner),
        st.builds(ast.Unary, st.sampled_from(["NOT", "-", "+"]), inner),
        st.builds(ast.Call, _FUNCTIONS, st.lists(inner, max_size=3).map(tuple)),
        st.builds(ast.Call, st.just("in"), st.lists(inner, min_size=2, max_size=3).map(tuple)),
    )


EVAL: st.SearchStrategy[ast.EvalExpr] = st.recursive(
    st.one_of(
        st.builds(ast.FieldRef, NAMES),
        st.builds(ast.Literal, _NUMBERS),
        st.builds(ast.Literal, st.text(max_size=8)),
        st.builds(ast.Call, st.sampled_from(["true", "false", "null"]), st.just(())),
    ),
    _eval_deeper,
    max_leaves=8,
)

_BARE = st.from_regex(r"[A-Za-z0-9_*./:-]{1,8}", fullmatch=True).filter(
    lambda t: t not in ("AND", "OR", "NOT")
)
VALUES = st.one_of(
    st.builds(ast.Value, _BARE),
    st.builds(ast.Value, st.text(max_size=8), st.just(True)),
    st.builds(ast.Value, _BARE, st.just(False), st.booleans(), st.booleans()),
)
_FIELDS = NAMES.filter(lambda n: n not in TIME_MODIFIERS)


def _search_deeper(
    inner: st.SearchStrategy[ast.SearchExpr],
) -> st.SearchStrategy[ast.SearchExpr]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        st.builds(ast.And, several), st.builds(ast.Or, several), st.builds(ast.Not, inner)
    )


SEARCH: st.SearchStrategy[ast.SearchExpr] = st.recursive(
    st.one_of(
        st.builds(ast.Compare, _FIELDS, st.sampled_from(["=", "!=", "<", ">", "<=", ">="]), VALUES),
        st.builds(ast.InList, _FIELDS, st.lists(VALUES, min_size=1, max_size=3).map(tuple)),
        st.builds(ast.Term, VALUES),
        st.builds(
            ast.TimeModifier,
            st.sampled_from(sorted(TIME_MODIFIERS)),
            st.sampled_from(["-7d@d", "now", "168", "10/08/2020:11:00:00"]),
        ),
        st.just(ast.And(())),
    ),
    _search_deeper,
    max_leaves=8,
)

SPANS = st.one_of(
    st.builds(
        BinSpan,
        st.integers(1, 999).map(float),
        st.sampled_from([None, "s", "m", "h", "d", "w", "mon", "q", "y", "ms"]),
    ),
    st.builds(BinSpan, st.just(1.0), st.just("h"), st.sampled_from(["h", "d", "w1"])),
    st.builds(BinSpan, st.just(2.0), st.none(), st.none(), st.sampled_from([2.0, 10.0, 2.5])),
)


def _labelled(aggregate: Aggregate) -> Aggregate:
    if aggregate.alias is not None:
        return aggregate
    return replace(aggregate, label=aggregate.canonical())


_ALIASES = st.none() | NAMES
AGGREGATES = st.one_of(
    st.builds(Aggregate, st.just("count"), alias=_ALIASES),
    st.builds(Aggregate, st.sampled_from(["dc", "values", "sum"]), NAMES, alias=_ALIASES),
    st.builds(Aggregate, st.just("count"), expr=EVAL, alias=_ALIASES),
    st.builds(
        Aggregate,
        st.sampled_from(["perc", "exactperc", "upperperc"]),
        NAMES,
        parameter=st.sampled_from([5.0, 95.0, 99.9]),
        alias=_ALIASES,
    ),
    st.builds(
        Aggregate,
        st.just("sparkline"),
        inner=st.builds(Aggregate, st.just("sum"), NAMES),
        span_width=st.none() | SPANS,
        alias=_ALIASES,
    ),
).map(_labelled)

_SPLIT_WHERE = st.one_of(
    st.builds(
        SplitWhere,
        AGGREGATES.filter(lambda a: a.alias is None and a.field is not None),
        st.sampled_from(["in", "notin"]),
        st.integers(1, 9).map(float),
        st.sampled_from(["top", "bottom"]),
    ),
    st.builds(
        SplitWhere,
        st.just(Aggregate("sum", label="sum")),
        st.sampled_from(["<", ">"]),
        st.integers(0, 99).map(float),
    ),
)

_BOUNDARIES = st.one_of(st.builds(Boundary, search=SEARCH), st.builds(Boundary, expr=EVAL))
_SUBSEARCH = st.deferred(lambda: st.lists(COMMAND, min_size=1, max_size=2).map(_pipeline))


def _pipeline(commands: list[Command]) -> ast.Pipeline:
    return ast.Pipeline(tuple(commands))


_TOKENS = st.dictionaries(
    st.from_regex(r"[a-z_]{1,6}", fullmatch=True).filter(lambda t: t != "nosubstitution"),
    NAMES,
    max_size=2,
).map(lambda d: tuple(d.items()))
_TEMPLATES = st.sampled_from(["eval <<FIELD>> = 1", "eval x = x + '<<FIELD>>' | where y > 1"])
_LIST_NAMES = st.from_regex(r"[A-Za-z_]{1,5}", fullmatch=True)

OVERRIDES: dict[tuple[str, str], st.SearchStrategy[typing.Any]] = {
    ("AnomalyDetection", "method"): st.just("histogram"),
    ("AnomalyDetection", "action"): st.sampled_from(["filter", "annotate", "summary"]),
    ("Autoregress", "p"): st.tuples(st.integers(1, 3), st.integers(3, 5)),
    ("Timewrap", "align"): st.sampled_from(["end", "now"]),
    ("Timewrap", "series"): st.sampled_from(["relative", "exact", "short"]),
    ("Timewrap", "period"): st.builds(
        BinSpan, st.integers(1, 99).map(float), st.sampled_from(["s", "h", "d", "w", "mon", "y"])
    ),
    ("BinOptions", "bins"): st.none() | st.integers(2, 99),
    ("Collect", "output_format"): st.sampled_from(["raw", "hec"]),
    ("Conversion", "function"): st.sampled_from(sorted(CONVERSIONS)),
    ("DataModel", "mode"): st.just("flat"),
    ("DataModel", "model"): NAMES,
    ("DataModel", "dataset"): NAMES,
    ("Foreach", "mode"): st.just("multivalue"),
    ("Foreach", "template"): _TEMPLATES,
    ("Foreign", "command"): st.sampled_from(sorted(APPS)),
    ("Geostats", "binspanlat"): st.sampled_from([0.5, 22.5, 90.0]),
    ("Geostats", "binspanlong"): st.sampled_from([1.0, 45.0]),
    ("Geostats", "maxzoomlevel"): st.integers(0, 20),
    ("Noop", "command"): st.sampled_from(sorted(WITHOUT_EFFECT)),
    ("Noop", "arguments"): st.sampled_from(["", 'to="a" x=1']),
    ("Foreign", "arguments"): st.sampled_from(["", 'infield="a" x=1']),
    ("From", "kind"): st.sampled_from(sorted(KINDS)),
    ("From", "object"): NAMES.filter(lambda n: not n.endswith(".")),
    ("Tstats", "model"): _LIST_NAMES,
    ("Tstats", "dataset"): st.none() | _LIST_NAMES,
    ("Tstats", "by"): st.lists(NAMES.filter(lambda n: "*" not in n), max_size=2).map(tuple),
    ("JsonField", "kind"): st.none() | st.sampled_from(["auto", "num", "str"]),
    ("Join", "kind"): st.sampled_from(["inner", "left"]),
    ("MakeResults", "data_format"): st.sampled_from(["csv", "json"]),
    ("MakeResults", "data"): NAMES,
    ("Map", "search"): NAMES,
    ("Gentimes", "start"): NAMES,
    ("Metadata", "type"): st.sampled_from(["hosts", "sources"]),
    ("Metadata", "datatype"): st.none() | st.just("metric"),
    ("MultiSearch", "searches"): st.lists(_SUBSEARCH, min_size=2, max_size=2).map(tuple),
    ("Outlier", "action"): st.sampled_from(["remove", "transform"]),
    ("OutputLookup", "create_context"): st.sampled_from(["app", "user"]),
    ("OutputLookup", "output_format"): st.none() | st.just("splunk_mv_csv"),
    ("Outlier", "type"): st.just("iqr"),
    ("Rangemap", "field"): NAMES,
    ("Range", "name"): _PLAIN.filter(lambda n: n.lower() not in ("field", "default")),
    ("Rex", "mode"): st.none() | st.just("sed"),
    ("Trend", "kind"): st.sampled_from(["sma", "wma"]),
    ("Trend", "period"): st.integers(2, 99),
    ("Trend", "field"): _PLAIN,
    ("SavedSearch", "tokens"): _TOKENS,
    ("Apply", "parameters"): _TOKENS,
    ("Fit", "parameters"): _TOKENS,
    ("Fit", "by"): st.lists(_LIST_NAMES, max_size=2).map(tuple),
    ("Set", "operation"): st.sampled_from(["union", "diff"]),
    ("SortKey", "kind"): st.sampled_from(["auto", "num", "ip", "str"]),
    ("Tojson", "default_type"): st.sampled_from(["none", "num"]),
    ("Transaction", "mvlist"): st.booleans()
    | st.lists(_LIST_NAMES, min_size=1, max_size=2).map(tuple),
    ("Strcat", "sources"): st.lists(
        st.builds(ast.FieldRef, _LIST_NAMES) | st.builds(ast.Literal, st.text(max_size=4)),
        min_size=1,
        max_size=3,
    ).map(tuple),
}
"""(class, field) -> what it may hold."""


def _tidy(node: typing.Any) -> typing.Any:
    """Settle combinations of fields that the language does not have."""
    match node:
        case Autoregress():
            return replace(node, alias=None) if node.p[0] != node.p[1] else node
        case Chart():
            bins = type(node.row_bins)()
            if node.row is None:
                node = replace(node, column=None, row_bins=bins)
            return node if node.column is not None else replace(node, column_bins=bins)
        case Timechart():
            return node if node.by is not None else replace(node, split_bins=type(node.bins)())
        case Join():
            sides = {"left": "L", "right": "R"} if node.pairs else {"left": None, "right": None}
            return replace(node, **sides, fields=() if node.pairs else node.fields)
        case Loadjob():
            sid = None if node.savedsearch is not None else node.sid or "1"
            return replace(node, sid=sid)
        case Lookup():
            return replace(node, new=node.new and bool(node.outputs))
        case Map():
            return replace(node, savedsearch=None)
        case Returned():
            if node.bare:
                return replace(node, field="plain", alias=None)
            return node
        case Tstats():
            if node.model is not None:
                node = replace(node, namespace=None, sid=None)
            elif node.namespace is not None:
                node = replace(node, sid=None)
            return node if node.by else replace(node, buckets=type(node.buckets)())
        case _:
            return node


def _for_type(hint: typing.Any, owner: str, name: str) -> st.SearchStrategy[typing.Any]:
    if (owner, name) in OVERRIDES:
        return OVERRIDES[owner, name]
    special: dict[typing.Any, st.SearchStrategy[typing.Any]] = {
        ast.EvalExpr: EVAL,
        ast.SearchExpr: SEARCH,
        ast.Pipeline: _SUBSEARCH,
        Aggregate: AGGREGATES,
        BinSpan: SPANS,
        SplitWhere: _SPLIT_WHERE,
        Boundary: _BOUNDARIES,
        str: NAMES,
        bool: st.booleans(),
        int: st.integers(1, 999),
        float: st.integers(0, 99).map(float),
    }
    if hint in special:
        return special[hint]
    without_none = tuple(p for p in typing.get_args(hint) if p is not type(None))
    for union in (ast.EvalExpr, ast.SearchExpr):
        if set(without_none) == set(typing.get_args(union)):
            return st.none() | special[union]
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        kept = [_for_type(p, owner, name) for p in parts if p is not type(None)]
        return st.one_of(st.none(), *kept) if type(None) in parts else st.one_of(*kept)
    if origin is tuple:
        if parts[-1] is Ellipsis:
            inner = _for_type(parts[0], owner, f"{name}[]")
            return st.lists(inner, min_size=1, max_size=3).map(tuple)
        return st.tuples(*(_for_type(p, owner, f"{name}[]") for p in parts))
    if is_dataclass(hint):
        return node(typing.cast("type[ast.Node]", hint))
    raise AssertionError(f"no strategy for {owner}.{name}: {hint}")


def node(kind: type[ast.Node]) -> st.SearchStrategy[ast.Node]:
    """Trees of one dataclass."""
    hints = typing.get_type_hints(kind)
    parts: dict[str, st.SearchStrategy[typing.Any]] = {}
    for item in fields(kind):
        if not item.compare:
            continue
        strategy = _for_type(hints[item.name], kind.__name__, item.name)
        narrowed = (kind.__name__, item.name) in OVERRIDES or item.default is MISSING
        parts[item.name] = strategy if narrowed else st.just(item.default) | strategy
    build: Callable[..., ast.Node] = kind
    return st.builds(build, **parts).map(_tidy)


COMMAND_TYPES = tuple(dict.fromkeys(COMMANDS.values()))
COMMAND: st.SearchStrategy[Command] = st.deferred(
    lambda: st.sampled_from(COMMAND_TYPES).flatmap(
        lambda kind: typing.cast("st.SearchStrategy[ast.CommandNode]", node(kind))
    )
)
