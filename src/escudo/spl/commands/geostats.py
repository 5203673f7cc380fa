"""``geostats``: statistics for the cells of a map (Search Reference: geostats)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import pyarrow as pa

from escudo.core.errors import EscudoError
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.commands.chart.series_table import build_series
from escudo.spl.operators.grouping import aggregate_rows, expand_values
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.aggregate_terms import Aggregate, parse_terms_and_options
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import FieldRef
from escudo.spl.syntax.options import (
    boolean_option,
    format_options,
    integer_option,
    number_option,
    text_option,
)
from escudo.spl.syntax.parse_eval import parse_eval
from escudo.spl.syntax.series_options import SeriesLimit, SeriesOptions
from escudo.spl.syntax.unparse import eval_text, word

MOST_LEVELS = 20
"""Zoom levels at most: each doubles the cells in both directions."""
_BIN = "geobin"


@dataclass(frozen=True)
class Geostats(Command):
    """``geostats [options] aggregates [BY field]``.

    The world is a grid of cells, twice as fine in both directions at each zoom level. A row for
    each cell that has events, at each level: its name ``geobin`` (`bin_id_zl_0_y_6_x_4` is row 6
    from the south and column 4 from the west of level 0), the mean place of its events, and the
    statistics; with BY a column for each value.

    Differs from Splunk: events without a place on earth are left out without a message.
    """

    name: ClassVar[str] = "geostats"
    declares: ClassVar[Declaration] = Declaration(
        reads=Reads.NAMED, reads_also=("lat", "lon"), closes_schema=True
    )

    aggregates: tuple[Aggregate, ...]
    by: str | None = None
    latfield: str = text_option("lat", "The field of the latitude, in degrees.")
    longfield: str = text_option("lon", "The field of the longitude, in degrees.")
    outputlatfield: str = text_option("latitude", "The field of a cell's mean latitude.")
    outputlongfield: str = text_option("longitude", "The field of a cell's mean longitude.")
    globallimit: int = integer_option(
        10, "Values of the BY field that are series; the others are OTHER; 0 is all.", least=0
    )
    locallimit: int = integer_option(10, "Values of a cell that Splunk draws; no effect.", least=0)
    binspanlat: float = number_option(22.5, "The height of a cell at level 0, in degrees.")
    binspanlong: float = number_option(45.0, "The width of a cell at level 0, in degrees.")
    maxzoomlevel: int = integer_option(9, "The finest zoom level.", least=0)
    translatetoxy: bool = boolean_option(
        True, "Whether the values of BY are columns; else each cell and value is a row."
    )

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        aggregates = parse_terms_and_options(args, options, (cls,), "by")
        by = args.name("a field after BY") if args.accept_word("by") else None
        args.read_options(cls, into=options)
        for name in ("binspanlat", "binspanlong"):
            if name in options and not 0 < float(options.values(cls)[name]) <= 360:
                options.fail(name, f"option '{name}' takes degrees above 0, at most 360")
        if "maxzoomlevel" in options and options.values(cls)["maxzoomlevel"] > MOST_LEVELS:
            options.fail("maxzoomlevel", f"'maxzoomlevel' is at most {MOST_LEVELS}")
        return cls(aggregates=aggregates, by=by, **options.values(cls), span=args.span())

    def format(self) -> str:
        terms = ", ".join(a.format() for a in self.aggregates)
        by = "" if self.by is None else f" BY {word(self.by)}"
        return f"geostats{format_options(self)} {terms}{by}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        cells = self._find_cells(rows(source, self), binder)
        places = aggregate_rows(cells, self._mean_place(), (_BIN,), binder)
        if self.by is None:
            terms = (*self._mean_place(), *self.aggregates)
            return aggregate_rows(cells, terms, (_BIN,), binder)
        if not self.translatetoxy:
            terms = (*self._mean_place(), *self.aggregates)
            return aggregate_rows(cells, terms, (_BIN, self.by), binder)
        options = SeriesOptions(limit=SeriesLimit(self.globallimit))
        series = build_series(
            cells, self.aggregates, _BIN, self.by, options, None, binder, given={}
        )
        known = binder.collect(places, "the places of geostats")
        known_fields = (_BIN, self.outputlatfield, self.outputlongfield)
        return binder.batch(
            series,
            "the cells of geostats",
            lambda table: _with_places(table, known, known_fields),
            known=known_fields,
        )

    def _mean_place(self) -> tuple[Aggregate, Aggregate]:
        return (
            Aggregate("avg", "_geo_lat", alias=self.outputlatfield),
            Aggregate("avg", "_geo_long", alias=self.outputlongfield),
        )

    def _find_cells(self, relation: Relation, binder: Binder) -> Relation:
        """A row for each event and zoom level, with the name of the cell."""

        def define(relation: Relation, name: str, text: str) -> Relation:
            value = binder.evaluate(parse_eval(text), relation)
            return relation.extend([(name, value)], binder.names)

        for name, field in (("_geo_lat", self.latfield), ("_geo_long", self.longfield)):
            relation = define(relation, name, f"tonumber({eval_text(FieldRef(field))})")
        inside = parse_eval("abs(_geo_lat)<=90 AND abs(_geo_long)<=180")
        relation = relation.where(binder.evaluate(inside, relation).sql)
        relation = define(relation, "_geo_level", f"mvrange(0,{self.maxzoomlevel + 1})")
        relation, _ = expand_values(relation, "_geo_level", binder)
        for name, place, border, width in (
            ("_geo_y", "_geo_lat", 90, self.binspanlat),
            ("_geo_x", "_geo_long", 180, self.binspanlong),
        ):
            cell = f"floor(({place}+{border})*pow(2,_geo_level)/{width!r})"
            relation = define(relation, name, cell)
        named = '"bin_id_zl_"._geo_level."_y_"._geo_y."_x_"._geo_x'
        return define(relation, _BIN, named)


def _with_places(table: pa.Table, places: pa.Table | None, fields: Sequence[str]) -> pa.Table:
    """The series of the cells with the mean places behind the cells' names."""
    if places is None:
        raise EscudoError("SPL300", "the places of geostats are not known")
    at = {name: i for i, name in enumerate(places[_BIN].to_pylist())}
    order = pa.array([at[name] for name in table[_BIN].to_pylist()], pa.int64())
    columns = {_BIN: table[_BIN]}
    for name in fields[1:]:
        columns[name] = places[name].take(order)
    columns.update({n: table[n] for n in table.column_names if n not in columns})
    return pa.table(columns)
