"""``eventcount``: how many events the indexes hold (Search Reference: eventcount)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.index_inventory import count_events
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import option


@dataclass(frozen=True)
class EventCount(Command):
    """``eventcount [index=name ...] [summarize=] [report_size=] [list_vix=] [server]``."""

    name: ClassVar[str] = "eventcount"
    generating: ClassVar[bool] = True
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    indexes: tuple[str, ...] = ()
    summarize: bool = True
    report_size: bool = False
    list_vix: bool = True
    list_federated_remote: bool = False
    splunk_server: str | None = None
    splunk_server_group: str | None = None

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options(
            "index",
            "summarize",
            "report_size",
            "list_vix",
            "list_federated_remote",
            "splunk_server",
            "splunk_server_group",
        )
        return cls(
            options.texts("index"),
            options.boolean("summarize", True),
            options.boolean("report_size", False),
            options.boolean("list_vix", True),
            options.boolean("list_federated_remote", False),
            options.text("splunk_server", None),
            options.text("splunk_server_group", None),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "eventcount"
            + "".join(option("index", i) for i in self.indexes)
            + option("summarize", self.summarize, True)
            + option("report_size", self.report_size, False)
            + option("list_vix", self.list_vix, True)
            + option("list_federated_remote", self.list_federated_remote, False)
            + option("splunk_server", self.splunk_server)
            + option("splunk_server_group", self.splunk_server_group)
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        return count_events(self.indexes, binder, summarize=self.summarize, sized=self.report_size)
