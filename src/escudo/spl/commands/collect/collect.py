"""``collect``: writes the rows to an index (Search Reference: collect)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import pyarrow as pa

from escudo.core.errors import EscudoError
from escudo.core.schema import FieldType
from escudo.spl.binding.arrow_rows import EVIDENCE
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.effects import IndexOutput
from escudo.spl.commands.collect.summary_events import STAMP, TIME, TIME_FORMAT, Stash, events
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import Binary, Call, EvalExpr, FieldRef, Literal
from escudo.spl.syntax.unparse import option


@dataclass(frozen=True)
class Collect(Command):
    """``collect [index=name] [options]``; the index is ``summary`` unless it is named.

    The events are written where the search runs with a lake to write to. In ``testmode`` the rows
    become what they would be in the index, and are not written. ``file`` is their ``source`` where
    that is not given; how Splunk would pass them on (``spool``, ``uselb``, ``run_in_preview``)
    makes no difference here, but ``spool=false``, which leaves them out of the index, is refused.
    """

    name: ClassVar[str] = "collect"

    index: str = "summary"
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
    timeformat: str = TIME_FORMAT
    uselb: bool = True

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options(*OPTIONS)
        return cls(
            options.text("index", "summary"),
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
            options.text("timeformat", TIME_FORMAT),
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
            + option("timeformat", self.timeformat, TIME_FORMAT)
            + option("uselb", self.uselb, True)
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        self._check()
        relation = binder.closed(rows(source, self))
        time = self._time(binder)
        stamp = Call("strftime", (time, Literal(self.timeformat)))
        made_here = [
            (TIME, binder.evaluate(time, relation)),
            (STAMP, binder.evaluate(stamp, relation)),
        ]
        relation = relation.extend(made_here, binder.names)
        within = binder.within
        info = {
            "info_min_time": f"{within.earliest or 0.0:.3f}",
            "info_max_time": "+Infinity" if within.latest is None else f"{within.latest:.3f}",
            "info_search_time": f"{binder.now:.3f}",
        }
        stash = Stash(
            self.index,
            self.source or self.file,
            self.sourcetype,
            self.host,
            self.marker,
            self.addtime,
            self.output_format == "hec",
            info if self.addinfo else {},
        )

        def keep(found: pa.Table) -> pa.Table:
            proof = [n for n in EVIDENCE if n in found.column_names]
            made = events(found.drop_columns(proof), stash)
            if not self.testmode:
                binder.effects.append(IndexOutput(self.index, made))
                return found.drop_columns([TIME, STAMP])
            for name in proof:
                made = made.append_column(name, found[name])
            return made

        kinds = {"_time": FieldType.TIME} if self.testmode else None
        return binder.batch(relation, f"what goes to index {self.index}", keep, kinds=kinds)

    def _time(self, binder: Binder) -> EvalExpr:
        """A row's ``_time``; without one its ``info_min_time``, the beginning of the search's
        range, or now."""
        choices: list[EvalExpr] = []
        for name in ("_time", "info_min_time"):
            number = Call("tonumber", (FieldRef(name),))
            given = Binary(">", number, Literal(0))
            choices.append(Call("if", (given, number, Call("null", ()))))
        begin = binder.within.earliest
        return Call("coalesce", (*choices, Literal(binder.now if begin is None else begin)))

    def _check(self) -> None:
        """Refuses what does not go together (SPL301)."""
        if not self.spool:
            raise EscudoError(
                "SPL301",
                "spool=false writes a file on a Splunk server, not into an index",
                span=self.span,
                hint="leave it out, or use testmode=true to see the events",
            )
        given = [n for n, default in _NOT_IN_HEC.items() if getattr(self, n) != default]
        if self.output_format == "hec" and given:
            raise EscudoError(
                "SPL301",
                f"option '{given[0]}' does not go with output_format=hec",
                span=self.span,
                hint="events keep the host, source and source type of the rows in this format",
            )


_NOT_IN_HEC: Mapping[str, object] = {
    "addtime": True,
    "host": None,
    "marker": None,
    "source": None,
    "sourcetype": None,
    "timeformat": TIME_FORMAT,
    "uselb": True,
}

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
    "timeformat",
    "uselb",
)
