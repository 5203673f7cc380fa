"""``format``: rows into one search expression (Search Reference: format)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import pyarrow as pa

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.subsearch import Layout, formatted
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.lexer import Kind
from escudo.spl.syntax.options import format_options, integer_option, text_option
from escudo.spl.syntax.unparse import quoted

_USUAL = Layout()
_STRINGS = (
    "row_prefix",
    "column_prefix",
    "column_separator",
    "column_end",
    "row_separator",
    "row_end",
)


@dataclass(frozen=True)
class Format(Command):
    """``format [options] ["row prefix" "column prefix" "column separator" "column end" "row
    separator" "row end"]``.

    One row, whose field ``search`` holds the rows as a search expression, without their internal
    fields.
    """

    name: ClassVar[str] = "format"

    row_prefix: str = _USUAL.row_prefix
    column_prefix: str = _USUAL.column_prefix
    column_separator: str = _USUAL.column_separator
    column_end: str = _USUAL.column_end
    row_separator: str = _USUAL.row_separator
    row_end: str = _USUAL.row_end
    mvsep: str = text_option(_USUAL.values, "What stands between the values of a multivalue.")
    maxresults: int = integer_option(0, "Rows that are taken; 0 takes all.", least=0)
    emptystr: str = text_option(_USUAL.empty, "What the field holds where there are no rows.")

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        texts: list[str] = []
        while args.peek().kind is Kind.STRING:
            texts.append(args.next().text)
        if len(texts) not in (0, len(_STRINGS)):
            args.expected("six quoted strings (or none)")
        args.read_options(cls, into=options)
        strings = dict(zip(_STRINGS, texts, strict=False))
        return cls(**{**options.values(cls), **strings}, span=args.span())

    def format(self) -> str:
        usual = all(text == getattr(_USUAL, name) for name, text in self._strings().items())
        strings = "" if usual else "".join(f" {quoted(text)}" for text in self._strings().values())
        return f"format{format_options(self)}{strings}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        table = binder.collect(binder.closed(rows(source, self)), "the rows to format")
        if table is None:
            return binder.table(pa.table({"search": pa.array([None], pa.string())}))
        layout = Layout(**self._strings(), values=self.mvsep, empty=self.emptystr)
        return binder.table(pa.table({"search": [formatted(table, layout, self.maxresults)]}))

    def _strings(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in _STRINGS}
