"""Values replaced by others: ``replace old WITH new``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl import coerce
from escudo.spl.plan import Typed


def replaced(value: Typed, pairs: Sequence[tuple[str, str]]) -> Typed:
    """The value after the first pair that it matches as a whole, with regard to case; a ``*`` of
    the new value takes what the ``*`` at its place matched (Search Reference, replace).

    >>> replaced(Typed(exp.column("h"), FieldType.STRING), [("*localhost", "x")]).sql.sql("duckdb")
    "CASE WHEN ENDS_WITH(h, 'localhost') THEN 'x' ELSE h END"
    """
    if value.type is FieldType.MULTIVALUE:
        values = coerce.map_values(value.sql, lambda v: _replaced(v.sql, pairs))
        return Typed(values, FieldType.MULTIVALUE)
    return Typed(_replaced(coerce.as_text(value), pairs), FieldType.STRING)


def _replaced(text: exp.Expression, pairs: Sequence[tuple[str, str]]) -> exp.Expression:
    ordered = sorted(pairs, key=lambda pair: "*" in pair[0])
    ifs = [
        exp.If(this=coerce.like(text.copy(), old, fold=False), true=_new(text, old, new))
        for old, new in ordered
    ]
    return exp.Case(ifs=ifs, default=text.copy())


def _new(text: exp.Expression, old: str, new: str) -> exp.Expression:
    if "*" not in new:
        return coerce.literal_text(new)
    pattern = "(?s)^" + "(.*)".join(re.escape(p) for p in old.split("*")) + "$"
    head, *tails = new.replace("\\", "\\\\").split("*")
    target = head + "".join(f"\\{i}{tail}" for i, tail in enumerate(tails, 1))
    arguments = (text.copy(), coerce.literal_text(pattern), coerce.literal_text(target))
    return coerce.call("spl_regex_replace", *arguments)
