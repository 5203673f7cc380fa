"""``makeresults``: rows out of nothing (Search Reference: makeresults)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.unparse import option, quoted

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class MakeResults(Command):
    """``makeresults [count=n] [annotate=bool]`` or ``makeresults format=csv|json data="..."``."""

    name: ClassVar[str] = "makeresults"
    generating: ClassVar[bool] = True

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
        raise EscudoError("SPL300", f"command '{self.name}' is not supported yet", span=self.span)
