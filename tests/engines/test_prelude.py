"""Both engines have every function that the language may call."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import escudo.spl
from escudo.engines.duckdb.connection import connect, load_prelude
from escudo.engines.kernels import KERNELS
from escudo.engines.spark.macros import load_macros
from escudo.engines.spark.special import SPECIAL
from escudo.spl.syntax.options import TRUTHS

_KERNELS = {kernel.name for kernel in KERNELS}


def _duckdb() -> set[str]:
    return {m[1] for s in load_prelude() if (m := re.search(r"MACRO (\w+)\(", s))}


def test_the_engines_have_the_same_names() -> None:
    spark = set(load_macros()) | set(SPECIAL)
    assert _duckdb() - spark - _KERNELS == set()
    assert {"spl_octet", "spl_total"} == set(load_macros()) - _duckdb() - _KERNELS


def test_every_name_that_is_called_is_defined() -> None:
    """Names that are put together (``f"spl_{name}"``) are covered by the conformance cases."""
    called: set[str] = set()
    for source in Path(str(files(escudo.spl))).rglob("*.py"):
        called |= set(re.findall(r'"(spl_[a-z0-9_]*[a-z0-9])"', source.read_text(encoding="utf-8")))
    defined = _duckdb() | _KERNELS
    families = {n for n in called if any(d.startswith(f"{n}_") for d in defined)}
    assert called - defined - families == set()


def test_no_macro_is_defined_twice() -> None:
    names = [m[1] for s in load_prelude() if (m := re.search(r"MACRO (\w+)\(", s))]
    assert sorted(names) == sorted(set(names))


def test_the_words_for_true_are_those_of_options() -> None:
    """``tobool`` (``spl_bool``) and the options of commands read the same words."""
    wanted = {word for word, truth in TRUTHS.items() if truth}
    spark = load_macros()["spl_bool"].body.sql("spark")
    (duckdb,) = (s for s in load_prelude() if "MACRO spl_bool(" in s)
    for text in (spark, duckdb):
        listed = re.search(r"LOWER\(s\) IN \(([^)]*)\)", text, re.IGNORECASE)
        assert listed is not None
        assert set(re.findall(r"'(\w+)'", listed[1])) == wanted


def test_a_word_for_false_is_not_true() -> None:
    asked = ", ".join(f"spl_bool('{word}')" for word in TRUTHS)
    row = connect(threads=1).execute(f"SELECT {asked}").fetchone()
    assert row == tuple(TRUTHS.values())
