"""Texts meet what is demanded of them, whatever the demands are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escudo.synthesis.demands import NULL, Check, Demand, Kind, Step, exact
from escudo.synthesis.examples import make_examples
from escudo.synthesis.functions import compile_pattern
from escudo.synthesis.texts import make_text

_WILD = st.lists(st.text("ab.\\ /-1", max_size=4), min_size=1, max_size=4).map("*".join)


def _wild(text: str, *steps: Step, wanted: bool = True) -> Demand:
    return Demand("field", Check(Kind.WILD, text), wanted, steps)


@given(st.lists(st.tuples(_WILD, st.booleans()), min_size=1, max_size=4), _WILD)
def test_a_text_meets_all_demands(asked: list[tuple[str, bool]], default: str) -> None:
    demands = tuple(_wild(text, wanted=wanted) for text, wanted in asked)
    text = make_text(demands, default, None)
    assert text is None or all(d.met_by(text) for d in demands)


@given(_WILD)
def test_one_pattern_has_a_text(pattern: str) -> None:
    assert make_text((_wild(pattern),), "default", None) is not None


@given(st.lists(st.text("abc", min_size=1, max_size=5).map("*{}*".format), max_size=6))
def test_parts_anywhere_have_a_text(patterns: list[str]) -> None:
    assert make_text(tuple(map(_wild, patterns)), None, None) is not None


@pytest.mark.parametrize(
    ("demands", "made"),
    [
        ((_wild("cmd.exe", Step("tail", text="\\/")),), "\\cmd.exe"),
        ((_wild("*\\Temp\\*"), _wild("a*.exe", Step("tail", text="\\"))), None),
        ((Demand("f", Check(Kind.REGEX, r"^\d{3}-[a-f]+$")),), None),
        ((Demand("f", Check(Kind.ORDER, "100", ">")),), "101"),
        ((Demand("f", Check(Kind.ORDER, "5", "<=")),), "5"),
        ((Demand("f", Check(Kind.LENGTH, "300", ">")), _wild("*-enc*")), None),
        ((Demand("f", Check(Kind.PARTS, "4", ">", mark="^")),), None),
        ((Demand("f", Check(Kind.CIDR, "10.0.0.0/8")),), "10.0.0.1"),
        ((Demand("f", Check(Kind.CIDR, "10.0.0.7/32")),), "10.0.0.7"),
        (
            tuple(
                Demand("f", NULL, False, (Step("capture", text=f"<{n}>(?<v>[^<]+)", group="v"),))
                for n in ("A", "B")
            ),
            None,
        ),
        ((Demand("f", NULL, False, (Step("capture", text=r"(?<n>[A-F]{4})", group="n"),)),), None),
        ((_wild("*.exe"), Demand("f", exact("a.exe"), wanted=False)), None),
        ((_wild("b", Step("item", text=",", number=1)),), "x,b,x"),
        ((_wild("bob", Step("capture", text=r"user=(?<u>\w+)", group="u")),), "user=bob"),
        ((Demand("f", Check(Kind.ORDER, "3", ">"), steps=(Step("entropy"),)),), None),
    ],
)
def test_each_kind_of_demand_can_be_met(demands: tuple[Demand, ...], made: str | None) -> None:
    text = make_text(demands, None, None)
    assert text is not None
    assert all(d.met_by(text) for d in demands)
    if made is not None:
        assert text == made


@pytest.mark.parametrize(
    "demands",
    [
        (_wild("a"), _wild("b")),
        (_wild("a*"), _wild("a*", wanted=False)),
        (Demand("f", Check(Kind.ORDER, "5", ">")), Demand("f", Check(Kind.ORDER, "3", "<"))),
        (Demand("f", Check(Kind.CIDR, "300.1.2.3/8")),),
    ],
)
def test_what_contradicts_itself_has_no_text(demands: tuple[Demand, ...]) -> None:
    assert make_text(demands, "a", "b") is None


def test_null_meets_what_is_excluded_but_not_what_is_wanted() -> None:
    assert _wild("a*", wanted=False).met_by(None)
    assert not _wild("a*").met_by(None)
    assert Demand("f", NULL).met_by(None)


def test_what_is_preferred_is_kept_where_it_fits() -> None:
    demands = (_wild("*delete*"),)
    assert make_text(demands, "sc delete", "wmic delete") == "wmic delete"
    assert make_text(demands, "sc delete", "wmic") == "sc delete"


_PATTERNS = [
    r"(?i)^c:\\windows\\(system32|syswow64)\\[^\\]+\.exe$",
    r"\b(rundll32|regsvr32)\.exe\b.{0,20}http",
    r"-(?:e|en|enc|enco)[^\s]*\s+[A-Za-z0-9+/]{20,}",
    r"^[a-z0-9]{8}\.(tmp|dat)$",
    r"(\d{1,3}\.){3}\d{1,3}",
    r"[^\x00-\x7F]?x(?!y)",
    r"(?<name>a+)\s\1",
    r"[\w.-]+@[\w-]+\.com",
]


@pytest.mark.parametrize("pattern", _PATTERNS)
def test_an_example_of_a_pattern_matches_it(pattern: str) -> None:
    compiled = compile_pattern(pattern)
    assert any(compiled.search(text) for text in make_examples(pattern))
