"""``timewrap``: each period of a chart over time as a series (Search Reference: timewrap)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.core.schema import FieldType
from escudo.spl.batch.period_wrapping import Wrapping
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.operators.numeric_time import make_time_numeric
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.options import choice_option, format_options, text_option
from escudo.spl.syntax.spans import BinSpan, parse_span


@dataclass(frozen=True)
class Timewrap(Command):
    """``timewrap [n]unit [options]``.

    The rows of ``timechart`` with the periods of time side by side: each row is a time of the
    latest period, each series is there once for each period, the oldest first. Of a single series
    the columns are called ``latest_day``, ``1day_before`` and so on, of several
    ``name_latest_day``.

    Differs from Splunk: it works on any rows with ``_time``, not only behind ``timechart``. Without
    a time range the search ends now. More than 10,000 series are an error.
    """

    name: ClassVar[str] = "timewrap"

    period: BinSpan
    align: str = choice_option(
        ("end", "now"), "end", "Whether the latest period ends with the search, or now."
    )
    series: str = choice_option(
        ("relative", "exact", "short"),
        "relative",
        "Series are named `1day_before`, by `time_format`, or `s0`, `s1` and so on.",
    )
    time_format: str = text_option(
        "%F", "With series=exact, the name of a series: the begin of its period by strftime."
    )

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        if not args.more():
            args.expected("a span such as 1d or week")
        token = args.value("a span such as 1d or week")
        period = parse_span(token.text)
        if period is None or period.log_base is not None or period.unit in (None, "us"):
            args.fail(f"expected a span such as 1d or week, found '{token.text}'", token)
        if period.unit in ("ms", "cs", "ds") or not period.size.is_integer() or not period.size:
            args.fail("the span of timewrap is a whole number of seconds or more", token)
        args.read_options(cls, into=options)
        return cls(period=period, **options.values(cls), span=args.span())

    def format(self) -> str:
        return f"timewrap {self.period.format()}{format_options(self)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = binder.closed(make_time_numeric(rows(source, self), binder))
        if relation.bound("_time") is None:
            raise EscudoError("SPL105", "timewrap needs _time", span=self.span)
        latest = binder.within.latest
        end = binder.now if latest is None or self.align == "now" else latest
        wrapping = Wrapping(self.period, end, self.series, self.time_format, binder.zone)
        return binder.batch(
            relation,
            "the periods of timewrap",
            wrapping.table,
            known=("_time",),
            kinds={"_time": FieldType.TIME},
        )
