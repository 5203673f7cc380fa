"""``map``: a search for each row (Search Reference: map)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.saved_search import saved_text
from escudo.spl.operators.stacking import stack_rows
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.values import number_text
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.options import format_options, integer_option, text_option
from escudo.spl.syntax.unparse import word


@dataclass(frozen=True)
class Map(Command):
    """``map search="text" [maxsearches=n]``, ``map [search]`` or ``map savedsearch``.

    ``$field$`` in the text is the row's value of that field.

    Differs from Splunk: a row that lacks one of the fields is left out, with a warning; Splunk
    stops the whole search there.
    """

    name: ClassVar[str] = "map"

    savedsearch: str | None = None
    search: str | None = text_option(None, "The search; what stands in ``[ ]`` is one, too.")
    maxsearches: int = integer_option(
        10, "Rows that a search is run for, from the first one on; 0 is all.", least=0
    )

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        savedsearch = None
        if args.at("["):
            options.set("search", args.subsearch_text())
        elif "search" not in options and args.more():
            savedsearch = args.name("a saved search")
        args.read_options(cls, into=options)
        if "search" not in options and savedsearch is None:
            args.missing('search="..." or the name of a saved search')
        return cls(savedsearch=savedsearch, **options.values(cls), span=args.span())

    def format(self) -> str:
        saved = f" {word(self.savedsearch)}" if self.savedsearch is not None else ""
        return f"map{saved}{format_options(self)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        text = self.search
        if self.savedsearch is not None:
            text = saved_text(self.savedsearch, binder, self.span)
        assert text is not None
        return run_for_each_row(relation, text, command=self, binder=binder)


def run_for_each_row(relation: Relation, text: str, *, command: Map, binder: Binder) -> Relation:
    """The rows of the search for each row, ``$field$`` replaced by the row's value.

    A row without one of the values has no search; SPL322 says so.
    """
    most = command.maxsearches
    limited = relation.limit(most + 1) if most else relation
    table = binder.collect(binder.closed(limited), "the rows that map runs a search for")
    if table is None:
        return binder.pipeline(binder.parse(_FIELD.sub(_SAMPLE, text)))
    if most and table.num_rows > most:
        message = (
            f"map runs a search for the first {most:,} rows only: maxsearches raises the limit"
        )
        binder.warn("SPL320", message, command.span)
        table = table.slice(0, most)
    results: list[Relation] = []
    for number, record in enumerate(table.to_pylist(), 1):
        values = {n: _write_value(v) for n, v in record.items() if v is not None}
        values["_serial_id"] = str(number)
        missing = [n for n in _FIELD.findall(text) if n not in values]
        if missing:
            binder.warn(
                "SPL322", f"row {number} has no {missing[0]}, map leaves it out", command.span
            )
            continue
        results.append(binder.pipeline(binder.parse(_fill_in(text, values))))
    if not results:
        return binder.empty(())
    return results[0] if len(results) == 1 else stack_rows(results, binder)


def _fill_in(text: str, values: Mapping[str, str]) -> str:
    return _FIELD.sub(lambda match: values[match[1]], text)


def _write_value(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    if isinstance(value, int | float):
        return number_text(value)
    return str(value)


_SAMPLE = "1"
"""Stands for a value while none is known: it is text, a number and a time."""
_FIELD = re.compile(r"\$([\w.:{}@-]+)\$")
