"""``eventcount``: how many events the indexes hold (Search Reference: eventcount)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.operators.index_inventory import count_events
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.options import (
    boolean_option,
    format_options,
    text_option,
    texts_option,
)


@dataclass(frozen=True)
class EventCount(Command):
    """``eventcount [options]``.

    The events of the search's time range are counted.
    """

    name: ClassVar[str] = "eventcount"
    generating: ClassVar[bool] = True
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    index: tuple[str, ...] = texts_option(
        "An index to count, perhaps with `*`; all of them by default."
    )
    summarize: bool = boolean_option(True, "Whether there is one row for all indexes.")
    report_size: bool = boolean_option(
        False, "Whether the row of an index has the length of its events in `size_bytes`."
    )
    list_vix: bool = boolean_option(True, "Whether virtual indexes are listed; no effect here.")
    list_federated_remote: bool = boolean_option(
        False, "Whether federated indexes are listed; no effect here."
    )
    splunk_server: str | None = text_option(None, "The servers that are asked; no effect here.")
    splunk_server_group: str | None = text_option(
        None, "The groups of servers that are asked; no effect here."
    )

    @classmethod
    def parse(cls, args: Args) -> Self:
        return cls(**args.read_options(cls).values(cls), span=args.span())

    def format(self) -> str:
        return f"eventcount{format_options(self)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        return count_events(self.index, binder, summarize=self.summarize, sized=self.report_size)
