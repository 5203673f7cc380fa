"""``makeresults``: rows out of nothing (Search Reference: makeresults)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import pyarrow as pa

from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder, Command
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.generated_rows import read_data
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.values import null_value, text_value
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import option, quoted


@dataclass(frozen=True)
class MakeResults(Command):
    """``makeresults [count=n] [annotate=bool]`` or ``makeresults format=csv|json data="..."``."""

    name: ClassVar[str] = "makeresults"
    generating: ClassVar[bool] = True
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    count: int = 1
    annotate: bool = False
    data_format: str | None = None
    data: str | None = None
    splunk_server: str | None = None
    splunk_server_group: str | None = None

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options(
            "count", "annotate", "splunk_server", "splunk_server_group", "format", "data"
        )
        data_format = options.choice("format", ("csv", "json"), None)
        data = options.text("data", None)
        if (data_format is None) != (data is None):
            args.missing("format=csv|json and data= together")
        return cls(
            options.integer("count", 1, least=0),
            options.boolean("annotate", False),
            data_format,
            data,
            options.text("splunk_server", None),
            options.text("splunk_server_group", None),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "makeresults"
            + option("count", self.count, 1)
            + option("annotate", self.annotate, False)
            + option("splunk_server", self.splunk_server)
            + option("splunk_server_group", self.splunk_server_group)
            + option("format", self.data_format)
            + (f" data={quoted(self.data)}" if self.data is not None else "")
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        now = binder.now
        if self.data is not None:
            made = read_data(self.data, self.data_format or "csv", self.span)
            if "_time" not in made.column_names:
                made = made.append_column("_time", pa.array([now] * made.num_rows, pa.float64()))
            kinds = (
                {"_time": FieldType.TIME} if made.schema.field("_time").type == pa.float64() else {}
            )
            relation = binder.table(made, kinds)
        else:
            times = pa.array([now] * self.count, pa.float64())
            relation = binder.table(pa.table({"_time": times}), {"_time": FieldType.TIME})
        if self.annotate:
            names = ("_raw", "host", "source", "sourcetype", "splunk_server_group")
            relation = relation.extend([(n, null_value()) for n in names], binder.names)
            relation = relation.extend([("splunk_server", text_value("local"))], binder.names)
        return relation
