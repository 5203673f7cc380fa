"""Eval expressions as SQL, and the places that their errors point to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, tzinfo

import pytest
from sqlglot import exp

from escudo.core.errors import EscudoError, Span
from escudo.core.schema import Column, FieldType, TableSchema
from escudo.spl.lowering.lower_eval import compile_eval, lower_eval
from escudo.spl.relation.values import Typed
from escudo.spl.syntax.parse_eval import parse_eval

KINDS = {
    "n": FieldType.NUMBER,
    "i": FieldType.INTEGER,
    "m": FieldType.MULTIVALUE,
    "_time": FieldType.TIME,
}


@dataclass
class Fields:
    now: float = 1_700_000_000.0
    zone: tzinfo = UTC
    warnings: list[str] = field(default_factory=list)

    def field(self, name: str) -> Typed | None:
        if name == "missing":
            return None
        return Typed(exp.column(name), KINDS.get(name, FieldType.STRING))

    def warn(self, code: str, message: str, span: Span | None) -> None:
        self.warnings.append(message)


@pytest.mark.parametrize(
    ("text", "sql", "kind"),
    [
        ('"x"', "'x'", FieldType.STRING),
        ("5", "5e0", FieldType.NUMBER),
        ("-5", "-5e0", FieldType.NUMBER),
        ("a", "a", FieldType.STRING),
        ("missing", "CAST(NULL AS TEXT)", FieldType.STRING),
        ("n + 1", "n + 1e0", FieldType.NUMBER),
        ("n - 1 * 2", "n - (1e0 * 2e0)", FieldType.NUMBER),
        ("n / i", "n / NULLIF(CAST(i AS DOUBLE), 0e0)", FieldType.NUMBER),
        ("a . b", "a || b", FieldType.STRING),
        ('n . "x"', "SPL_TEXT(n) || 'x'", FieldType.STRING),
        ('n > 5 AND a = "x"', "n > 5e0 AND a = 'x'", FieldType.BOOLEAN),
        ('NOT a = "x"', "NOT (a = 'x')", FieldType.BOOLEAN),
        (
            'm = "x"',
            'SPL_LEN(LIST_FILTER(m, LAMBDA "_spl_1" : "_spl_1" = \'x\')) > 0',
            FieldType.BOOLEAN,
        ),
        ("lower(m)", 'LIST_TRANSFORM(m, LAMBDA "_spl_1" : LOWER("_spl_1"))', FieldType.MULTIVALUE),
        ("mvindex(m, 0)", "SPL_MVINDEX(m, 0)", FieldType.STRING),
        ('if(a="x", 1, 2)', "CASE WHEN a = 'x' THEN 1e0 ELSE 2e0 END", FieldType.NUMBER),
        ('if(a="x", 1, "y")', "CASE WHEN a = 'x' THEN '1' ELSE 'y' END", FieldType.STRING),
        ("coalesce(a, b)", "COALESCE(a, b)", FieldType.STRING),
        ("isnull(a)", "a IS NULL", FieldType.BOOLEAN),
        ('in(a, "x", "y")', "a IN ('x', 'y')", FieldType.BOOLEAN),
        ("now()", "1700000000e0", FieldType.NUMBER),
        ('strftime(_time, "%F")', "SPL_STRFTIME(_time, '%Y-%m-%d')", FieldType.STRING),
        ('relative_time(now(), "-1d@d")', "1699833600e0", FieldType.NUMBER),
        ('match(a, "x(?=y)")', "SPL_PCRE_MATCH(a, 'x(?=y)')", FieldType.BOOLEAN),
        ('match(a, "xy")', "SPL_REGEX_MATCH(a, 'xy')", FieldType.BOOLEAN),
        (
            'cidrmatch("10.0.0.0/8", a)',
            "SPL_IPV4_BETWEEN(a, 167772160, 184549375)",
            FieldType.BOOLEAN,
        ),
        ("len(a)", "LENGTH(a)", FieldType.INTEGER),
    ],
)
def test_sql(text: str, sql: str, kind: FieldType) -> None:
    found = lower_eval(parse_eval(text), Fields())
    assert (found.sql.sql("duckdb"), found.type) == (sql, kind)


@pytest.mark.parametrize(
    ("text", "code", "column"),
    [
        ("1 + foo(2)", "SPL200", 5),
        ("lower()", "SPL202", 1),
        ('if(a="x", lower(1, 2), 3)', "SPL202", 11),
        ('match(a, "(")', "SPL203", 1),
        ('case(a="x")', "SPL202", 1),
        ("mvfilter(a=b)", "SPL201", 1),
        ('tostring(a, "roman")', "SPL201", 1),
    ],
)
def test_errors_point_at_the_call(text: str, code: str, column: int) -> None:
    with pytest.raises(EscudoError) as caught:
        lower_eval(parse_eval(text), Fields())
    span = caught.value.diagnostic.span
    assert (caught.value.code, span and span.column) == (code, column)


def test_a_misspelt_function_is_guessed() -> None:
    with pytest.raises(EscudoError) as caught:
        lower_eval(parse_eval("lowr(a)"), Fields())
    assert caught.value.diagnostic.hint == "did you mean 'lower'?"


SCHEMA = TableSchema(
    "t",
    (
        Column("ProcessId", physical="ProcessId"),
        Column("ProcessID", physical="ProcessID__1"),
        Column("_time", FieldType.TIME, physical="_time"),
        Column("pid", expr="tonumber(ProcessID)"),
    ),
    rest="_fields",
)


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("ProcessId", '"ProcessId"'),
        ("ProcessID", '"ProcessID__1"'),
        ("_time", 'SPL_EPOCH("_time")'),
        ("pid", 'SPL_NUM("ProcessID__1")'),
        ("other", "\"_fields\"['other']"),
        ("'list{}'", "SPL_SPLIT(\"_fields\"['list{}'], '\x1e')"),
    ],
)
def test_fields_of_a_table(text: str, sql: str) -> None:
    assert compile_eval(text, SCHEMA).sql.sql("duckdb") == sql


def test_a_long_chain_does_not_blow_up() -> None:
    plus = " + ".join(["a"] * 40)
    dots = " . ".join(["a"] * 200)
    ors = " OR ".join(f'a="{i}x"' for i in range(500))
    for text in (plus, dots, ors):
        assert len(lower_eval(parse_eval(text), Fields()).sql.sql("duckdb")) < 20_000


def test_lowering_leaves_the_fields_alone() -> None:
    shared = Typed(exp.column("a"), FieldType.STRING)

    @dataclass
    class Same(Fields):
        def field(self, name: str) -> Typed | None:
            return shared

    lower_eval(parse_eval('if(a="5", a + a, a . a)'), Same())
    assert shared.sql.sql() == "a"
    assert shared.sql.parent is None
