"""``metadata``: the hosts, sources or sourcetypes there are (Search Reference: metadata)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.index_inventory import summarise_origins
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import option


@dataclass(frozen=True)
class Metadata(Command):
    """``metadata type=hosts|sources|sourcetypes [index=name ...] [options]``."""

    name: ClassVar[str] = "metadata"
    generating: ClassVar[bool] = True
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    type: str
    indexes: tuple[str, ...] = ()
    splunk_server: str | None = None
    splunk_server_group: str | None = None
    datatype: str | None = None

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options("type", "index", "splunk_server", "splunk_server_group", "datatype")
        kind = options.choice("type", ("hosts", "sources", "sourcetypes"), None)
        if kind is None:
            args.missing("type=hosts, sources or sourcetypes")
        return cls(
            kind,
            options.texts("index"),
            options.text("splunk_server", None),
            options.text("splunk_server_group", None),
            options.choice("datatype", ("event", "metric", "all"), None),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "metadata"
            + option("type", self.type)
            + "".join(option("index", i) for i in self.indexes)
            + option("splunk_server", self.splunk_server)
            + option("splunk_server_group", self.splunk_server_group)
            + option("datatype", self.datatype)
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        return summarise_origins(self.type, self.indexes, binder)
