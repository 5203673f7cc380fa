"""The forms of every command beside their canonical text, and what trees some texts make."""

from __future__ import annotations

from pathlib import Path

import pytest

from escudo.spl.commands import COMMANDS
from escudo.spl.parse import parse
from escudo.spl.syntax.ast import (
    And,
    Binary,
    Call,
    Compare,
    EvalExpr,
    FieldRef,
    InList,
    Literal,
    Not,
    Or,
    SearchExpr,
    Term,
    TimeModifier,
    Unary,
    Value,
)
from escudo.spl.syntax.parse_eval import parse_eval
from escudo.spl.syntax.parse_search import parse_search
from tests.spl.dropping import without_effect
from tests.yaml_file import read_yaml

FORMS = read_yaml(Path(__file__).with_name("parse.yml"))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form["spl"])
def test_canonical_text(form: dict[str, str]) -> None:
    tree = parse(form["spl"])
    assert tree.format() == form["canonical"]
    assert parse(form["canonical"]) == tree


def test_every_command_has_forms() -> None:
    shown = {type(c) for form in FORMS for c in parse(form["spl"]).commands}
    assert set(COMMANDS.values()) - shown == set()


# --- precedence and values --------------------------------------------------------------------

a, b, c, d = (FieldRef(name) for name in "abcd")
EVALS: list[tuple[str, EvalExpr]] = [
    ("a OR b AND c", Binary("OR", a, Binary("AND", b, c))),
    ("a XOR b OR c", Binary("XOR", a, Binary("OR", b, c))),
    ("NOT a AND b", Binary("AND", Unary("NOT", a), b)),
    ("NOT a = b", Unary("NOT", Binary("=", a, b))),
    ("a - b - c", Binary("-", Binary("-", a, b), c)),
    ("a + b * c", Binary("+", a, Binary("*", b, c))),
    ("a . b + c", Binary(".", a, Binary("+", b, c))),
    ("a + b < c . d", Binary("<", Binary("+", a, b), Binary(".", c, d))),
    ("-a * b", Binary("*", Unary("-", a), b)),
    ("a IN (b, c)", Call("in", (a, b, c))),
    ("a NOT IN (b)", Unary("NOT", Call("in", (a, b)))),
    ("a like b and c", Binary("AND", Binary("LIKE", a, b), c)),
    ("'a b'", FieldRef("a b")),
    (r"'it\'s'", FieldRef("it's")),
    ("foo{}.bar", FieldRef("foo{}.bar")),
    ("user.name", Binary(".", FieldRef("user"), FieldRef("name"))),
    ("5", Literal(5)),
    ("5.0", Literal(5.0)),
    (".5", Literal(0.5)),
    ("1e3", Literal(1000.0)),
    (r'"a\"b\\c\d\t"', Literal('a"b\\c\\d\t')),
    ("IF(a, b, c)", Call("if", (a, b, c))),
    ("true", Call("true", ())),
    ("$token$ . <<FIELD>>", Binary(".", FieldRef("$token$"), FieldRef("<<FIELD>>"))),
]


@pytest.mark.parametrize(("text", "tree"), EVALS, ids=[text for text, _ in EVALS])
def test_eval_trees(text: str, tree: EvalExpr) -> None:
    assert parse_eval(text) == tree


def term(text: str, *, quoted: bool = False) -> Term:
    return Term(Value(text, quoted))


def is_(name: str, text: str, op: str = "=", *, quoted: bool = False) -> Compare:
    return Compare(name, op, Value(text, quoted))


SEARCHES: list[tuple[str, SearchExpr]] = [
    ("a OR b c", And((Or((term("a"), term("b"))), term("c")))),
    ("a b OR c", And((term("a"), Or((term("b"), term("c")))))),
    ("a AND b OR c", And((term("a"), Or((term("b"), term("c")))))),
    ("NOT a OR b", Or((Not(term("a")), term("b")))),
    ("NOT (a b)", Not(And((term("a"), term("b"))))),
    ("a or b", And((term("a"), term("or"), term("b")))),
    ("(a (b c))", And((term("a"), And((term("b"), term("c")))))),
    ("", And(())),
    ('"disk full"', term("disk full", quoted=True)),
    ("x=1", is_("x", "1")),
    ("x = 1", is_("x", "1")),
    ("x==1", is_("x", "1")),
    ("x!=1 y<=2", And((is_("x", "1", "!="), is_("y", "2", "<=")))),
    ('x="a b"', is_("x", "a b", quoted=True)),
    ('"my field"=x', is_("my field", "x")),
    (r"p=C:\\a\b*", is_("p", r"C:\a\b*")),
    (r'p="C:\\a\b\"c"', is_("p", r'C:\a\b"c', quoted=True)),
    ("u=a=b", is_("u", "a=b")),
    ('x IN (1, b*, "c d")', InList("x", (Value("1"), Value("b*"), Value("c d", True)))),
    ("x IN (1 2)", InList("x", (Value("1"), Value("2")))),
    ("TERM(1.2.3.4)", Term(Value("1.2.3.4", exact_term=True))),
    ("x=CASE(Ab)", Compare("x", "=", Value("Ab", exact_case=True))),
    ("earliest=-7d@d", TimeModifier("earliest", "-7d@d")),
    ("x=in", is_("x", "in")),
    ("field{}.name=x", is_("field{}.name", "x")),
]


@pytest.mark.parametrize(("text", "tree"), SEARCHES, ids=[text for text, _ in SEARCHES])
def test_search_trees(text: str, tree: SearchExpr) -> None:
    assert parse_search(text) == tree


def test_case_of_commands_options_and_keywords_does_not_matter() -> None:
    shouted = parse("a | HEAD LIMIT=3 | Stats dc(x) As y By z | RENAME a As b")
    assert shouted == parse("a | head limit=3 | stats dc(x) as y by z | rename a as b")


# --- nothing is dropped -----------------------------------------------------------------------

DEFAULTS = {"type=iqr", "update=f", "maxspan=-1"}
"""Options that forms spell out with their default value, so that they change nothing."""


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form["spl"])
def test_every_option_changes_the_tree(form: dict[str, str]) -> None:
    text = form["spl"]
    tree = parse(text)
    assert set(without_effect(text, tree)) - DEFAULTS == set()
