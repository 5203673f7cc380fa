"""Searches at random that are nearly right: commands from the list of all, with the options that
they declare, functions with arguments of every kind."""

from __future__ import annotations

from hypothesis import strategies as st

from escudo.spl import eval_functions, stats_functions
from escudo.spl.commands import COMMANDS
from escudo.spl.syntax.options import Option, options_of

FIELDS = ("a", "b", "n", "m", "x.y", "_time", "_raw", "host", "doc", "gone", "é")
"""Text, empty text, numbers, lists, a dotted name, time, a document, a field that is not there."""
_SILENT = {"fit", "apply", "summary", "anomalydetection"}
"""Commands of machine learning: seconds each; their own tests try them."""

_names = st.sampled_from(FIELDS)
_quoted_names = _names.map(lambda n: n if n.isascii() and "." not in n else f"'{n}'")
_numbers = st.sampled_from(
    [
        *("0", "1", "-1", "2", "3.7", "-2.5", "0.5", "1e3", "1e18", "1e19", "1e300", "-1e300"),
        *("1e-300", "9007199254740993", "253402300800", "-62135596801", "100", "16", "36", "37"),
    ]
)
_texts = st.sampled_from(
    [
        *('""', '" "', '"a"', '"-1"', '"1.5"', '"0x1F"', '"é\\u{1F600}"', '"a,b,,c"', '"%Y %q %%"'),
        *('"(?<g>a+)"', '"["', '"a.b{}"', '"{}"', '"\\\\"', '"*"', '"1d@d"', '"-1mon@w7"', '"hex"'),
        *('"duration"', '"commas"', '"%d %s %f %x"', '"%5.2f"', '"10.0.0.0/8"', '"2001:db8::/32"'),
        *('"{\\"k\\": [1, {\\"l\\": null}]}"', '"<r><i>1</i><i>2</i></r>"', '"null"', '"true"'),
        *(
            '"\\n"',
            '"nan"',
            '"inf"',
            '"-0"',
            '"1e400"',
            '"x\ty"',
            '"%"',
            '"s/a/b/g"',
            '"%F %T.%3N"',
        ),
    ]
)
_operators = st.sampled_from(
    ["+", "-", "*", "/", "%", ".", "=", "!=", "<", ">", "<=", ">=", "AND", "OR", "XOR", "LIKE"]
)


def _calls(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def call(name: str) -> st.SearchStrategy[str]:
        row = eval_functions[name]
        most = row.least + 2 if row.most is None else row.most
        arguments = st.lists(inner, min_size=row.least, max_size=max(most, row.least))
        return arguments.map(lambda given: f"{name}({', '.join(given)})")

    return st.sampled_from(sorted(eval_functions)).flatmap(call)


VALUES: st.SearchStrategy[str] = st.recursive(
    st.one_of(_quoted_names, _quoted_names, _numbers, _texts, st.just("null()")),
    lambda inner: st.one_of(
        *([_calls(inner)] * 6),
        st.tuples(inner, _operators, inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        inner.map(lambda v: f"(NOT {v})"),
        inner.map(lambda v: f"(-{v})"),
    ),
    max_leaves=6,
)


def _statistic(name: str) -> st.SearchStrategy[str]:
    shown = f"{name}95" if stats_functions[name].takes_number else name
    field = st.one_of(_names, VALUES.map(lambda v: f"eval({v})"))
    return field.map(lambda f: f"{shown}({f})")


STATISTICS = st.one_of(
    st.just("count"), st.sampled_from(sorted(stats_functions)).flatmap(_statistic)
)
_words = st.one_of(
    _names,
    _names,
    STATISTICS,
    VALUES,
    _numbers,
    _texts,
    st.sampled_from(
        [
            *("by", "as", "over", "where", "with", "in", "from", "output", "outputnew", "*", ","),
            *("-", "+", "[search index=main | head 2]", "[stats count]", "[| makeresults]", "1h"),
            *("sma2(n)", "a=1", "t", "f", "span=1h", "auto(n)", "datamodel=M.D", "desc"),
        ]
    ),
)


def _option(option: Option) -> st.SearchStrategy[str]:
    values = st.one_of(
        st.sampled_from(["t", "f", "0", "1", "-1", "5", "1h", "a", "3mon", "100000", '""', "log2"]),
        _names,
    )
    return values.map(lambda v: v if option.bare else f"{option.name}={v}")


_FORMS = {
    "eval": VALUES.map(lambda v: f"r={v}"),
    "fieldformat": VALUES.map(lambda v: f"n={v}"),
    "where": VALUES,
    "search": st.one_of(_texts, st.tuples(_names, _texts).map("=".join)),
    "rex": st.tuples(_names, _texts).map(lambda t: f"field={t[0]} {t[1]}"),
    "regex": st.tuples(_names, _texts).map("=".join),
    "foreach": VALUES.map(lambda v: f"n m [eval <<FIELD>>={v}]"),
    "lookup": st.tuples(_names, _names).map(lambda t: f"t k AS {t[0]} OUTPUT v AS {t[1]}"),
    "replace": st.tuples(_texts, _texts, _names).map(lambda t: f"{t[0]} WITH {t[1]} IN {t[2]}"),
    "rename": st.tuples(_names, _names).map(" AS ".join),
    "convert": st.tuples(
        st.sampled_from(["num", "ctime", "mktime", "dur2sec", "memk", "mstime", "rmunit", "none"]),
        _names,
    ).map(lambda t: f"{t[0]}({t[1]})"),
}
_TERMS = {
    "stats",
    "eventstats",
    "streamstats",
    "chart",
    "timechart",
    "geostats",
    "tstats",
    "mstats",
}


@st.composite
def commands(draw: st.DrawFn) -> str:
    """One command with options and arguments."""
    name = draw(st.sampled_from(sorted(set(COMMANDS) - _SILENT)))
    declared = options_of(COMMANDS[name])
    options = (
        draw(st.lists(st.sampled_from(declared).flatmap(_option), max_size=3)) if declared else []
    )
    if name in _FORMS:
        arguments = [draw(_FORMS[name])]
    elif name in _TERMS:
        by = draw(st.lists(_names, max_size=2))
        arguments = [
            *draw(st.lists(STATISTICS, min_size=1, max_size=3)),
            *(["by", *by] if by else []),
        ]
    else:
        arguments = draw(st.lists(_words, max_size=4))
    parts = [*options, *arguments] if draw(st.booleans()) else [*arguments, *options]
    return " ".join([name, *parts])


SEARCHES = st.lists(commands(), min_size=1, max_size=3).map(
    lambda given: "index=main | " + " | ".join(given)
)
GENERATING = commands().map(lambda given: f"| {given}")
EVALS = st.lists(VALUES, min_size=1, max_size=3).map(
    lambda values: "index=main | eval " + ", ".join(f"r{i}={v}" for i, v in enumerate(values))
)
STATS = st.lists(STATISTICS, min_size=1, max_size=4).map(
    lambda terms: f"index=main | stats {', '.join(f'{t} AS s{i}' for i, t in enumerate(terms))}"
)
