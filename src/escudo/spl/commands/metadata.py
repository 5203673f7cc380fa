"""``metadata``: the hosts, sources or sourcetypes there are (Search Reference: metadata)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.index_inventory import summarise_origins
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.options import choice_option, format_options, text_option, texts_option


@dataclass(frozen=True)
class Metadata(Command):
    """``metadata type=hosts|sources|sourcetypes [index=name ...] [options]``.

    A row for each: its first and last time, the time its last event came in, and its events.

    Differs from Splunk: the events of the search's time range are counted one by one, so times and
    counts are exact.
    """

    name: ClassVar[str] = "metadata"
    generating: ClassVar[bool] = True
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    type: str = choice_option(
        ("hosts", "sources", "sourcetypes"), "", "What is listed; it must be given."
    )
    indexes: tuple[str, ...] = texts_option("An index that is looked through.", name="index")
    splunk_server: str | None = text_option(None, "The server that is asked; no effect here.")
    splunk_server_group: str | None = text_option(
        None, "The servers that are asked; no effect here."
    )
    datatype: str | None = choice_option(
        ("event", "metric", "all"), None, "Which kind of index is meant; no effect here."
    )

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        if "type" not in options:
            args.missing("type=hosts, sources or sourcetypes")
        return cls(**options.values(cls), span=args.span())

    def format(self) -> str:
        return f"metadata{format_options(self)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        return summarise_origins(self.type, self.indexes, binder)
