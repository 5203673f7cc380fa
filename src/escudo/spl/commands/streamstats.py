"""``streamstats``: running statistics (Search Reference: streamstats)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.spl.aggregates import Aggregate, format_by, parse_aggregate
from escudo.spl.args import Args
from escudo.spl.ast import Command, EvalExpr, Literal
from escudo.spl.bind import rows
from escudo.spl.grouping import only_numbers
from escudo.spl.parse_eval import parse_eval
from escudo.spl.spans import BinSpan
from escudo.spl.streaming import stream_statistics
from escudo.spl.unparse import eval_text, option

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class StreamStats(Command):
    """``streamstats [options] aggregates [BY fields]``; ``window`` 0 is all rows so far."""

    name: ClassVar[str] = "streamstats"

    aggregates: tuple[Aggregate, ...]
    by: tuple[str, ...] = ()
    current: bool = True
    window: int = 0
    time_window: BinSpan | None = None
    global_window: bool = True
    allnum: bool = False
    reset_on_change: bool = False
    reset_before: EvalExpr | None = None
    reset_after: EvalExpr | None = None

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options(strict=False)
        resets: dict[str, EvalExpr] = {}
        aggregates: list[Aggregate] = []
        while args.more() and not args.at_word("by"):
            option_name = args.at_option()
            if option_name is None:
                if not args.accept(","):
                    aggregates.append(parse_aggregate(args))
            elif option_name.text.lower() in ("reset_before", "reset_after"):
                args.next()
                args.next()
                resets[option_name.text.lower()] = _condition(args)
            else:
                args.options(*OPTIONS, "reset_before", "reset_after", into=options, one=True)
        if not aggregates:
            args.expected("a statistic such as count")
        by = args.names() if args.accept_word("by") else ()
        return cls(
            tuple(aggregates),
            by,
            options.boolean("current", True),
            options.integer("window", 0, least=0),
            options.span("time_window", None),
            options.boolean("global", True),
            options.boolean("allnum", False),
            options.boolean("reset_on_change", False),
            resets.get("reset_before"),
            resets.get("reset_after"),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "streamstats"
            + option("current", self.current, True)
            + option("window", self.window, 0)
            + option("time_window", self.time_window.format() if self.time_window else None)
            + option("global", self.global_window, True)
            + option("allnum", self.allnum, False)
            + option("reset_on_change", self.reset_on_change, False)
            + _reset("reset_before", self.reset_before)
            + _reset("reset_after", self.reset_after)
            + f" {', '.join(a.format() for a in self.aggregates)}{format_by(self.by)}"
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        if self.allnum:
            relation = only_numbers(relation, self.aggregates, binder)
        return stream_statistics(relation, self, binder)


OPTIONS = ("current", "window", "time_window", "global", "allnum", "reset_on_change")


def _reset(name: str, condition: EvalExpr | None) -> str:
    if condition is None:
        return ""
    text = eval_text(condition)
    return f" {name}=(({text}))" if isinstance(condition, Literal) else f" {name}=({text})"


def _condition(args: Args) -> EvalExpr:
    """``(expr)``, or the expression in quotes, perhaps with parentheses inside or around."""
    args.expect("(")
    token = args.peek()
    text = args.source.text
    if text.startswith('"', token.start) and text[token.end : args.end].lstrip().startswith(")"):
        args.next()
        args.expect(")")
        return parse_eval(token.text)
    expr = args.eval()
    args.expect(")")
    return expr
