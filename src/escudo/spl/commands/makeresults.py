"""``makeresults``: rows out of nothing (Search Reference: makeresults)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import pyarrow as pa

from escudo.core.errors import EscudoError
from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder, Command
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.generated_rows import read_data
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.values import null_value, text_value
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.options import (
    boolean_option,
    choice_option,
    format_options,
    integer_option,
    text_option,
)

MOST_ROWS = 50_000_000
"""Rows that are made at most: 400 MB of times."""


@dataclass(frozen=True)
class MakeResults(Command):
    """``makeresults [count=n] [annotate=bool]`` or ``makeresults format=csv|json data="..."``.

    Rows with the time of the search in ``_time``, or the rows of a table or of JSON objects that
    stand in the text. ``format`` and ``data`` come together.

    Refused: more than 50,000,000 rows.
    """

    name: ClassVar[str] = "makeresults"
    generating: ClassVar[bool] = True
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    count: int = integer_option(1, "Rows that are made, unless there are data.", least=0)
    annotate: bool = boolean_option(
        False, "Whether there are _raw, host, source, sourcetype and the names of the server."
    )
    splunk_server: str | None = text_option(None, "The server that makes them; no effect here.")
    splunk_server_group: str | None = text_option(
        None, "The servers that make them; no effect here."
    )
    data_format: str | None = choice_option(
        ("csv", "json"), None, "What the data are written in.", name="format"
    )
    data: str | None = text_option(None, "The rows: a header and lines, or JSON objects.")

    @classmethod
    def parse(cls, args: Args) -> Self:
        values = args.read_options(cls).values(cls)
        if ("data_format" in values) != ("data" in values):
            args.missing("format=csv|json and data= together")
        return cls(**values, span=args.span())

    def format(self) -> str:
        return f"makeresults{format_options(self)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        if self.data is not None:
            made = read_data(self.data, self.data_format or "csv", self.span)
        elif self.count > MOST_ROWS:
            message = f"makeresults makes at most {MOST_ROWS:,} rows, not {self.count:,}"
            raise EscudoError("SPL324", message, span=self.span)
        else:
            made = pa.table({"_time": np.full(self.count, binder.now)})
        if "_time" not in made.column_names:
            made = made.append_column("_time", pa.array(np.full(made.num_rows, binder.now)))
        timed = made.schema.field("_time").type == pa.float64()
        relation = binder.table(made, {"_time": FieldType.TIME} if timed else {})
        if self.annotate:
            names = ("_raw", "host", "source", "sourcetype", "splunk_server_group")
            relation = relation.extend([(n, null_value()) for n in names], binder.names)
            relation = relation.extend([("splunk_server", text_value("local"))], binder.names)
        return relation
