"""Patterns translated for all engines, held against the PCRE-like ``regex`` module."""

from __future__ import annotations

import pytest
import regex

from escudo.core.errors import EscudoError
from escudo.engines.duckdb import connect
from escudo.spl.relation.pcre import adapt_to_python, translate


@pytest.mark.parametrize(
    ("pattern", "text", "groups", "regular"),
    [
        (r"(?<user>\w+)", r"(\w+)", ("user",), True),
        (r"(?P<user>\w+)", r"(\w+)", ("user",), True),
        (r"(?'user'\w+)", r"(\w+)", ("user",), True),
        (r"(a)(?<b>b)", "(a)(b)", (None, "b"), True),
        (r"(?:a)", "(?:a)", (), True),
        (r"(?i)a", "(?i)a", (), True),
        (r"(?x) a", "(?x) a", (), False),
        (r"(?#note)a", "a", (), True),
        (r"a(?=b)", "a(?=b)", (), False),
        (r"(?<=a)b", "(?<=a)b", (), False),
        (r"(?<!a)b", "(?<!a)b", (), False),
        (r"(?>a+)b", "(?>a+)b", (), False),
        (r"a++", "a++", (), False),
        (r"a{2}+", "a{2}+", (), False),
        (r"a+?", "a+?", (), True),
        (r"(a)\1", r"(a)\1", (None,), False),
        (r"(?<x>a)\k<x>", r"(a)(?:\1)", ("x",), False),
        (r"(?<x>a)(?P=x)", r"(a)(?:\1)", ("x",), False),
        (r"(a)\g{-1}", r"(a)(?:\1)", (None,), False),
        (r"a{1,2000}", "a{1,2000}", (), False),
        (r"{a}", r"\{a}", (), True),
        (r"a{,3}", r"a\{,3}", (), True),
        (r"[]a]", r"[\]a]", (), True),
        (r"[^]a]", r"[^\]a]", (), True),
        (r"[a[b]", r"[a\[b]", (), True),
        (r"[\w-.]", r"[\w\-.]", (), True),
        (r"[a-c-e]", r"[a-c\-e]", (), True),
        (r"[-a]", r"[\-a]", (), True),
        (r"[[:alpha:]_]", "[A-Za-z_]", (), True),
        (r"[\b]", r"[\x08]", (), True),
        (r"\Q.*\E+", r"\.\*+", (), True),
        (r"\h\R", r"[ \t](?:\r\n|[\n\x0b\f\r\x85" "\u2028\u2029])", (), True),
        (r"\x{41}\e\_", r"\x41\x1b_", (), True),
        (r"\/\-\"", r"\/\-\"", (), True),
        (r"\Kx", r"\Kx", (), False),
        (r"a$", r"a\n?\z", (), True),
        (r"a(\s|$)", r"a(\s|\n?\z)", (None,), True),
        (r"(?<x>a$)", r"(a$)", ("x",), False),
        (r"a$\n", r"a$\n", (), False),
        (r"(?m)a$", r"(?m)a$", (), True),
        (r"[$]\$", r"[$]\$", (), True),
        (r"\cM\cm\c[", r"\x0d\x0d\x1b", (), True),
        (r"\v\V\N", r"[\n\x0b\f\r][^\n\x0b\f\r][^\n]", (), True),
        (r"[\v\h]", r"[\n\x0b\f\r \t]", (), True),
        (r"\o{101}", r"\x41", (), True),
        (r"\pL\p{^Lu}\P{Lu}", r"\p{L}\P{Lu}\P{Lu}", (), True),
        (r"\p{Greek}", r"\p{Greek}", (), False),
    ],
)
def test_translation(
    pattern: str, text: str, groups: tuple[str | None, ...], regular: bool
) -> None:
    found = translate(pattern)
    assert (found.text, found.groups, found.regular) == (text, groups, regular)


@pytest.mark.parametrize("pattern", ["(", "a)", "[a", "*a", "a{2,1}", r"(?<x>a)\k<y>", "(?"])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(EscudoError) as caught:
        translate(pattern)
    assert caught.value.code == "SPL203"


@pytest.mark.parametrize(
    "pattern",
    [
        r"\lsass",
        r"\Users",
        r"\L",
        r"\uA",
        r"\kx",
        r"\gx",
        r"\powershell",
        r"\p",
        r"\p{Lu",
        r"\pX",
        r"\p{Nothing}",
        r"\N{dash}",
        r"\iexplore",
        r"\MSBuild",
        r"a\c",
        r"[\y]",
    ],
)
def test_escapes_that_pcre_does_not_have_are_refused(pattern: str) -> None:
    with pytest.raises(EscudoError) as caught:
        translate(pattern)
    assert caught.value.code == "SPL203"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        (r"b$", "ab\n", True),
        (r"b$", "ab", True),
        (r"b$", "ab\n\n", False),
        (r"b$", "ab\nc", False),
        (r"(a|b)$", "ab\n", True),
        (r"^$", "\n", True),
        (r"b(\.exe|$)", "ab\n", True),
        (r"b$\n", "ab\n", True),
        (r"b\z", "ab\n", False),
        (r"(?!x)b$", "ab\n", True),
        (r"\cJ", "ab\n", True),
        (r"a\Nb", "a\nb", False),
    ],
)
def test_a_dollar_is_before_a_last_line_break_too(pattern: str, text: str, matches: bool) -> None:
    translated = translate(pattern)
    name = "spl_regex_match" if translated.regular else "spl_pcre_match"
    with connect(threads=1) as connection:
        row = connection.execute(f"SELECT {name}(?, ?)", [text, translated.text]).fetchone()
    assert row == (matches,)


SAMPLES = (
    "",
    "a",
    "ab1",
    "C:\\Windows\\System32\\cmd.exe /c whoami",
    "user=bob, id={42}",
    "line one\nline two\r\n",
    "[x]-y_z",
    'say "hi"',
    "naïve — ünï",
)
PATTERNS = (
    r"\w+",
    r"^\s*$",
    r"(?i)CMD\.EXE",
    r"\\[^\\]+$",
    r"id=\{(?<n>\d+)\}",
    r"[[:punct:]]",
    r"[\w-]+y",
    r"one$",
    r"(?m)one$",
    r"(?s)one.line",
    r"one.line",
    r"\bhi\b",
    r"[^\x00-\x7f]",
    r"\Qid={\E",
    r"a|b|1",
    r"(?<!x)y",
)


@pytest.mark.slow
@pytest.mark.parametrize("pattern", PATTERNS)
def test_engines_agree_with_the_reference(pattern: str) -> None:
    translated = translate(pattern)
    reference = regex.compile(adapt_to_python(translated.text), regex.ASCII)
    name = "spl_regex_match" if translated.regular else "spl_pcre_match"
    with connect(threads=1) as connection:
        for sample in SAMPLES:
            row = connection.execute(f"SELECT {name}(?, ?)", [sample, translated.text]).fetchone()
            assert row == (reference.search(sample) is not None,), (pattern, sample)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"\p{L}(?=x)", "éx"),
        (r"\p{Latin}", "é"),
        (r"[\p{L}\d]+(?=x)", "é5x"),
        (r"\P{Lu}(?=x)", "éx"),
        (r"a\Rb", "a\r\nb"),
        (r"a\Rb", "a\u2028b"),
        (r"(?<=x|yz)a", "yza"),
        (r"(?<![ab]|cd)e", "xe"),
        (r"\w(?=x)|é", "é"),
    ],
)
def test_matches_as_pcre2_does(pattern: str, text: str) -> None:
    translated = translate(pattern)
    assert regex.search(adapt_to_python(translated.text), text, regex.ASCII)
    if translated.regular:
        with connect() as connection:
            query = "SELECT regexp_matches(?, ?)"
            assert connection.execute(query, [text, translated.text]).fetchone() == (True,)


def test_words_are_of_ascii() -> None:
    assert not regex.search(adapt_to_python(translate(r"^\w(?=x)").text), "éx", regex.ASCII)


@pytest.mark.parametrize(
    "pattern",
    [
        *(
            "(?U)a",
            "(?J)a",
            "(?n)(a)",
            "(?^)a",
            "(?L)a",
            "(?C1)a",
            "(*UTF8)a",
            "(*UCP)a",
            "(*CRLF)a",
        ),
        *("(*LIMIT_MATCH=1)a", "(?(DEFINE)(?<q>b))a", "(?<n>a)(?<n>b)", "(?P<n>a)|(?'n'b)"),
        *("(?<=x+)a", "(?<!x*)a", "(?<=a|b{1,2})c", "(?&n)(?<n>a)", "(*NOSUCH)a", r"\g{5}a"),
    ],
)
def test_what_is_refused_is_refused_when_compiled(pattern: str) -> None:
    with pytest.raises(EscudoError) as raised:
        translate(pattern)
    assert raised.value.code == "SPL203"
