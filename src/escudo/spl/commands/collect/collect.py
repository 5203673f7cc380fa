"""``collect``: writes the rows to an index (Search Reference: collect)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Self

import pyarrow as pa

from escudo.core.errors import EscudoError
from escudo.core.schema import FieldType
from escudo.spl.binding.arrow_rows import EVIDENCE
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration
from escudo.spl.binding.effects import IndexOutput
from escudo.spl.commands.collect.summary_events import (
    STAMP,
    TIME,
    TIME_FORMAT,
    Stash,
    build_events,
)
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import Binary, Call, EvalExpr, FieldRef, Literal
from escudo.spl.syntax.options import (
    boolean_option,
    choice_option,
    format_options,
    options_of,
    text_option,
)


@dataclass(frozen=True)
class Collect(Command):
    """``collect [index=name] [options]``.

    The events are written where the search runs with a lake to write to. A name of an index is of
    small letters, digits, `_` and `-`, does not begin with `-`, and has no `kvstore` in it; one
    that begins with `_` is internal, and needs `escudo search --allow-internal`.

    Differs from Splunk: the fields of an event are there even where its ``_raw`` has them not.

    Refused: ``spool=false``, which leaves the events out of the index, and options that have no
    meaning with ``output_format=hec``.
    """

    name: ClassVar[str] = "collect"
    declares: ClassVar[Declaration] = Declaration(writes=True)

    index: str = text_option("summary", "The index that the events go to.")
    addinfo: bool = boolean_option(
        True, "Whether events get the search's time range and time (`info_min_time` and so on)."
    )
    addtime: bool = boolean_option(True, "Whether the text of an event begins with its time.")
    file: str | None = text_option(None, "The `source` of the events where `source` is not given.")
    host: str | None = text_option(None, "The host of the events.")
    marker: str | None = text_option(None, "Text of `key=value` pairs at the end of each event.")
    output_format: str = choice_option(
        ("raw", "hec"), "raw", "`hec` leaves the rows their host, source and source type."
    )
    run_in_preview: bool = boolean_option(False, "Whether a preview writes events; no effect here.")
    source: str | None = text_option(None, "The source of the events.")
    sourcetype: str | None = text_option(None, "The source type of the events; `stash` by default.")
    spool: bool = boolean_option(True, "Whether the events go into the index; false is refused.")
    testmode: bool = boolean_option(
        False, "Whether the rows become what they would be in the index, and are not written."
    )
    timeformat: str = text_option(TIME_FORMAT, "How the time in an event's text is written.")
    uselb: bool = boolean_option(True, "How Splunk passes the events on; no effect here.")

    @classmethod
    def parse(cls, args: Args) -> Self:
        return cls(**args.read_options(cls).values(cls), span=args.span())

    def format(self) -> str:
        return f"collect{format_options(self)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        self._refuse_contradictions()
        self._check_index()
        relation = binder.closed(rows(source, self))
        time = self._choose_time(binder)
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
            index=self.index,
            source=self.source or self.file,
            sourcetype=self.sourcetype,
            host=self.host,
            marker=self.marker,
            addtime=self.addtime,
            hec=self.output_format == "hec",
            info=info if self.addinfo else {},
        )

        def write(table: pa.Table) -> pa.Table:
            proof = [n for n in EVIDENCE if n in table.column_names]
            events = build_events(table.drop_columns(proof), stash)
            if not self.testmode:
                binder.effects.append(IndexOutput(self.index, events))
                return table.drop_columns([TIME, STAMP])
            for name in proof:
                events = events.append_column(name, table[name])
            return events

        kinds = {"_time": FieldType.TIME} if self.testmode else None
        return binder.batch(relation, f"what goes to index {self.index}", write, kinds=kinds)

    def _check_index(self) -> None:
        """Refuses a name that no index can have (SPL324); one of Splunk's own needs a right."""
        bare = self.index.removeprefix("_")
        if _INDEX.fullmatch(bare) is None or "kvstore" in bare:
            lower = self.index.lower()
            better = lower != self.index and _INDEX.fullmatch(lower) is not None
            raise EscudoError(
                "SPL324",
                f"'{self.index}' cannot be the name of an index",
                span=self.span,
                hint=f"write '{lower}'"
                if better
                else "small letters, digits, '_' and '-' make one",
            )

    def _choose_time(self, binder: Binder) -> EvalExpr:
        """A row's ``_time``; without one its ``info_min_time``, the beginning of the search's
        range, or now."""
        choices: list[EvalExpr] = []
        for name in ("_time", "info_min_time"):
            number = Call("tonumber", (FieldRef(name),))
            given = Binary(">", number, Literal(0))
            choices.append(Call("if", (given, number, Call("null", ()))))
        begin = binder.within.earliest
        return Call("coalesce", (*choices, Literal(binder.now if begin is None else begin)))

    def _refuse_contradictions(self) -> None:
        """Refuses what does not go together (SPL301)."""
        if not self.spool:
            raise EscudoError(
                "SPL301",
                "spool=false writes a file on a Splunk server, not into an index",
                span=self.span,
                hint="leave it out, or use testmode=true to see the events",
            )
        changed = [
            option.name
            for option in options_of(type(self))
            if option.name in _NOT_IN_HEC and getattr(self, option.attribute) != option.default
        ]
        if self.output_format == "hec" and changed:
            raise EscudoError(
                "SPL301",
                f"option '{changed[0]}' does not go with output_format=hec",
                span=self.span,
                hint="events keep the host, source and source type of the rows in this format",
            )


_INDEX = re.compile(r"[a-z0-9][a-z0-9_-]*")
_NOT_IN_HEC = frozenset(
    {"addtime", "host", "marker", "source", "sourcetype", "timeformat", "uselb"}
)
"""Options that cannot be given together with ``output_format=hec``."""
