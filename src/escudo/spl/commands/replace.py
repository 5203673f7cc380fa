"""``replace``: values of fields by others (Search Reference: replace)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration
from escudo.spl.relation.coercion import as_text
from escudo.spl.relation.comparison import map_values, match_wildcards
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import case_when, literal_text, prelude_call
from escudo.spl.relation.values import Typed
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import quoted, words
from escudo.spl.syntax.wildcards import select_names


@dataclass(frozen=True)
class Replace(Command):
    """``replace old WITH new, ... [IN fields]``.

    A value that matches an old one as a whole, with regard to case, becomes the new one; each ``*``
    of the new one takes what the ``*`` at its place matched. Values without ``*`` go before those
    with it. Without fields, all fields but the internal ones. A comma before WITH does not count.
    """

    name: ClassVar[str] = "replace"
    declares: ClassVar[Declaration] = Declaration(row_by_row=True)

    pairs: tuple[tuple[str, str], ...]
    fields: tuple[str, ...] = ()

    @classmethod
    def parse(cls, args: Args) -> Self:
        def read_pair() -> tuple[str, str]:
            old = args.name("a value to replace")
            args.accept(",")
            args.expect_word("with")
            return old, args.name("the new value")

        pairs = args.separated(read_pair, "in")
        if not pairs:
            args.missing("'old WITH new'")
        fields = args.names() if args.accept_word("in") else ()
        return cls(pairs=pairs, fields=fields, span=args.span())

    def format(self) -> str:
        pairs = ", ".join(f"{quoted(old)} WITH {quoted(new)}" for old, new in self.pairs)
        return f"replace {pairs}" + (f" IN {words(self.fields)}" if self.fields else "")

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        names = self.fields
        if not names:
            relation = binder.closed(relation)
            names = tuple(n for n in relation.names() if not n.startswith("_"))
        changed = [
            (name, replace_value(value, self.pairs))
            for name in select_names(names, binder.matching(relation, names))
            if (value := relation.field(name)) is not None
        ]
        return relation.extend(changed, binder.names)


def replace_value(value: Typed, pairs: Sequence[tuple[str, str]]) -> Typed:
    """The value after the first pair that it matches.

    >>> host = Typed(exp.column("h"), FieldType.STRING)
    >>> replace_value(host, [("*localhost", "x")]).sql.sql("duckdb")
    "CASE WHEN ENDS_WITH(h, 'localhost') THEN 'x' ELSE h END"
    """
    if value.type is FieldType.MULTIVALUE:
        values = map_values(value.sql, lambda v: _replace_text(v.sql, pairs))
        return Typed(values, FieldType.MULTIVALUE)
    return Typed(_replace_text(as_text(value), pairs), FieldType.STRING)


def _replace_text(text: exp.Expression, pairs: Sequence[tuple[str, str]]) -> exp.Expression:
    ordered = sorted(pairs, key=lambda pair: "*" in pair[0])
    branches = [
        (match_wildcards(text.copy(), old, fold=False), _fill_wildcards(text, old, new))
        for old, new in ordered
    ]
    return case_when(*branches, otherwise=text.copy())


def _fill_wildcards(text: exp.Expression, old: str, new: str) -> exp.Expression:
    if "*" not in new:
        return literal_text(new)
    pattern = "(?s)^" + "(.*)".join(re.escape(p) for p in old.split("*")) + "$"
    head, *tails = new.replace("\\", "\\\\").split("*")
    target = head + "".join(f"\\{i}{tail}" for i, tail in enumerate(tails, 1))
    arguments = (text.copy(), literal_text(pattern), literal_text(target))
    return prelude_call("spl_regex_replace", *arguments)
