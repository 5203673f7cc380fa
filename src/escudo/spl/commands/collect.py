"""``collect``: writes the rows to an index (Search Reference: collect)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.bind import rows
from escudo.spl.effects import IndexOutput
from escudo.spl.unparse import option

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class Collect(Command):
    """``collect index=name [options]``."""

    name: ClassVar[str] = "collect"

    index: str
    addinfo: bool = True
    addtime: bool = True
    file: str | None = None
    host: str | None = None
    marker: str | None = None
    output_format: str = "raw"
    run_in_preview: bool = False
    source: str | None = None
    sourcetype: str | None = None
    spool: bool = True
    testmode: bool = False
    uselb: bool = True

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options(*OPTIONS)
        index = options.text("index", None)
        if index is None:
            args.missing("index=name")
        return cls(
            index,
            options.boolean("addinfo", True),
            options.boolean("addtime", True),
            options.text("file", None),
            options.text("host", None),
            options.text("marker", None),
            options.choice("output_format", ("raw", "hec"), "raw"),
            options.boolean("run_in_preview", False),
            options.text("source", None),
            options.text("sourcetype", None),
            options.boolean("spool", True),
            options.boolean("testmode", False),
            options.boolean("uselb", True),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "collect"
            + option("index", self.index)
            + option("addinfo", self.addinfo, True)
            + option("addtime", self.addtime, True)
            + option("file", self.file)
            + option("host", self.host)
            + option("marker", self.marker)
            + option("output_format", self.output_format, "raw")
            + option("run_in_preview", self.run_in_preview, False)
            + option("source", self.source)
            + option("sourcetype", self.sourcetype)
            + option("spool", self.spool, True)
            + option("testmode", self.testmode, False)
            + option("uselb", self.uselb, True)
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = binder.closed(rows(source, self))
        found = binder.collect(relation, f"what goes to index {self.index}")
        if found is not None and not self.testmode:
            binder.effects.append(
                IndexOutput(
                    self.index,
                    found,
                    self.source,
                    self.sourcetype or "stash",
                    self.host,
                    self.marker,
                )
            )
        return relation


OPTIONS = (
    "index",
    "addinfo",
    "addtime",
    "file",
    "host",
    "marker",
    "output_format",
    "run_in_preview",
    "source",
    "sourcetype",
    "spool",
    "testmode",
    "uselb",
)
