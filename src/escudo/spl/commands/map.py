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
from escudo.spl.syntax.unparse import option, quoted, word


@dataclass(frozen=True)
class Map(Command):
    """``map search="text" [maxsearches=n]``, ``map [search]`` or ``map savedsearch``.

    ``$field$`` in the text is the row's value of that field.
    """

    name: ClassVar[str] = "map"

    search: str | None = None
    savedsearch: str | None = None
    maxsearches: int = 10

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options("search", "maxsearches")
        search = options.text("search", None)
        savedsearch = None
        if args.at("["):
            search = args.subsearch_text()
        elif search is None and args.more():
            savedsearch = args.name("a saved search")
        args.options("search", "maxsearches", into=options)
        search = options.text("search", search)
        if search is None and savedsearch is None:
            args.missing('search="..." or the name of a saved search')
        return cls(
            search, savedsearch, options.integer("maxsearches", 10, least=0), span=args.span()
        )

    def format(self) -> str:
        what = f"search={quoted(self.search)}" if self.search is not None else ""
        if self.savedsearch is not None:
            what = word(self.savedsearch)
        return f"map {what}{option('maxsearches', self.maxsearches, 10)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        text = self.search
        if text is None:
            text = saved_text(self.savedsearch or "", binder, self.span)
        return mapped(relation, text, self.maxsearches, self, binder)


def mapped(relation: Relation, text: str, most: int, command: Command, binder: Binder) -> Relation:
    """``map``: the search once for each row, ``$field$`` replaced by the row's value.

    A row without one of the values has no search; SPL322 says so.
    """
    limited = relation.limit(most) if most else relation
    found = binder.collect(binder.closed(limited), "the rows that map runs a search for")
    if found is None:
        return binder.pipeline(binder.parse(_FIELD.sub(_SAMPLE, text)))
    results: list[Relation] = []
    for number, record in enumerate(found.to_pylist(), 1):
        values = {n: _token(v) for n, v in record.items() if v is not None}
        values["_serial_id"] = str(number)
        missing = [n for n in _FIELD.findall(text) if n not in values]
        if missing:
            binder.warn(
                "SPL322", f"row {number} has no {missing[0]}, map leaves it out", command.span
            )
            continue
        results.append(binder.pipeline(binder.parse(_filled(text, values))))
    if not results:
        return binder.empty(())
    return results[0] if len(results) == 1 else stack_rows(results, binder)


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _FIELD.sub(lambda found: values[found[1]], text)


def _token(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    if isinstance(value, int | float):
        return number_text(value)
    return str(value)


_SAMPLE = "1"
"""Stands for a value while none is known: it is text, a number and a time."""
_FIELD = re.compile(r"\$([\w.:{}@-]+)\$")
