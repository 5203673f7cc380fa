"""``transaction``: events into groups (Search Reference: transaction)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Self

import pyarrow as pa

from escudo.core.errors import EscudoError
from escudo.core.schema import FieldType
from escudo.spl.batch.transactions import (
    MADE,
    Rules,
    order_transactions,
    transactions_of,
)
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.binding.runner import Groups
from escudo.spl.commands.transaction.session_windows import build_sessions
from escudo.spl.operators.numeric_time import make_time_numeric
from escudo.spl.relation.coercion import as_boolean
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import all_hold, any_holds, column, has_no_value, negate
from escudo.spl.relation.steps import Order
from escudo.spl.relation.values import Typed
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import EvalExpr, Node, SearchExpr
from escudo.spl.syntax.options import (
    BOOLEAN,
    SPAN,
    TRUTHS,
    Options,
    OptionType,
    boolean_option,
    format_options,
    integer_option,
    text_option,
    typed_option,
)
from escudo.spl.syntax.parse_search import parse_search
from escudo.spl.syntax.spans import MONTHS, SECONDS, BinSpan
from escudo.spl.syntax.unparse import eval_text, search_text, word


@dataclass(frozen=True)
class Boundary(Node):
    """What begins or ends a transaction: a search expression, or ``eval(expr)``; one is set."""

    search: SearchExpr | None = None
    expr: EvalExpr | None = None

    def format(self) -> str:
        if self.expr is not None:
            return f"eval({eval_text(self.expr)})"
        return f"({search_text(self.search)})" if self.search is not None else "()"


MvList = bool | tuple[str, ...]


def _parse_limit(text: str) -> BinSpan | None:
    return None if text == "-1" else SPAN.parse(text)


def _write_limit(limit: BinSpan | None) -> str:
    return "-1" if limit is None else SPAN.write(limit)


def _parse_lists(text: str) -> MvList:
    """``true``, or fields with commas between; one field that is named like a truth value is told
    from it by a comma."""
    if text.lower() in TRUTHS:
        return TRUTHS[text.lower()]
    return tuple(name for part in text.split(",") if (name := part.strip())) or True


def _write_lists(lists: MvList) -> str:
    if isinstance(lists, bool):
        return BOOLEAN.write(lists)
    names = ",".join(lists)
    return f'"{names}{"," if names.lower() in TRUTHS else ""}"'


_LIMIT = OptionType[BinSpan | None](SPAN.label, _parse_limit, _write_limit)
_LISTS = OptionType[MvList]("true, false or a list of fields", _parse_lists, _write_lists)
_BOUNDARY = OptionType[Boundary](
    "a search in quotes, (a search) or eval(a condition)",
    lambda text: Boundary(parse_search(text)),
    Boundary.format,
)


@dataclass(frozen=True)
class Transaction(Command):
    """``transaction [fields] [options]``.

    Events with the same values of the fields become one row, from the newest to the oldest event:
    its ``_time`` is that of the oldest, its ``_raw`` their texts in order of time. Values of other
    fields are made distinct and sorted. It adds ``duration`` (seconds), ``eventcount``,
    ``closed_txn``, ``field_match_sum`` and ``linecount``.

    Differs from Splunk: there is no limit to open transactions, so none is evicted for want of
    memory. The types of transactiontypes.conf are not known.
    """

    name: ClassVar[str] = "transaction"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, looks_ahead=True)

    fields: tuple[str, ...] = ()
    kind: str | None = text_option(
        None, "A type of transactiontypes.conf; no effect here.", name="name"
    )
    maxspan: BinSpan | None = typed_option(
        _LIMIT, None, "The most time between the first and the last event; -1 is unlimited."
    )
    maxpause: BinSpan | None = typed_option(
        _LIMIT, None, "The most time between two events; -1 is unlimited."
    )
    maxevents: int = integer_option(
        1000, "Events of a transaction at most; 0 or less is unlimited."
    )
    startswith: Boundary | None = typed_option(
        _BOUNDARY, None, "What the first event of a transaction matches."
    )
    endswith: Boundary | None = typed_option(
        _BOUNDARY, None, "What the last event of a transaction matches."
    )
    connected: bool = boolean_option(
        True, "Whether an event must have a field in common with the transaction to be in it."
    )
    unifyends: bool = boolean_option(
        False, "Whether the events that begin and end a transaction must have one of its fields."
    )
    keeporphans: bool = boolean_option(
        False, "Whether events in no transaction stay, as rows of their own."
    )
    maxopentxn: int | None = integer_option(
        None, "Transactions that are open at once at most; no effect here.", least=1
    )
    maxopenevents: int | None = integer_option(
        None, "Events of open transactions at most; no effect here.", least=1
    )
    keepevicted: bool = boolean_option(
        False, "Whether transactions that are not complete stay (`closed_txn` is 0 in them)."
    )
    delim: str = text_option(" ", "What stands between values that are shown; no effect here.")
    mvlist: MvList = typed_option(
        _LISTS, False, "Whether values are kept as they come, of all fields or of those named."
    )
    mvraw: bool = boolean_option(False, "Whether `_raw` is a multivalue; no effect here.")
    nullstr: str = text_option("NULL", "What stands for a missing value in such a list.")

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = Options(args.source)
        fields: list[str] = []
        while args.more():
            option = args.at_option()
            if option is None:
                if not args.accept(","):
                    fields.append(args.name())
            elif (name := option.text.lower()) in ("startswith", "endswith"):
                args.next()
                args.next()
                options.set(name, _read_boundary(args))
            else:
                args.read_options(cls, into=options, one=True)
        return cls(fields=tuple(fields), **options.values(cls), span=args.span())

    def format(self) -> str:
        fields = "".join(f" {word(f)}" for f in self.fields)
        return f"transaction{fields}{format_options(self)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        return build_transactions(rows(source, self), self, binder)


def _read_boundary(args: Args) -> Boundary:
    token = args.peek()
    if args.accept_word("eval"):
        args.expect("(")
        expr = args.eval()
        args.expect(")")
        return Boundary(expr=expr, span=args.span(token.start))
    if args.accept("("):
        search = args.search()
        args.expect(")")
        return Boundary(search, span=args.span(token.start))
    return Boundary(parse_search(args.name(_BOUNDARY.label)), span=args.span(token.start))


_STARTS, _ENDS = "_transaction_starts", "_transaction_ends"


def build_transactions(relation: Relation, command: Transaction, binder: Binder) -> Relation:
    """The events of a search as transactions."""
    relation = make_time_numeric(relation, binder)
    time = relation.bound("_time")
    if time is None:
        raise EscudoError("SPL105", "transaction needs _time", span=command.span)
    flags: list[str] = []
    for name, boundary in ((_STARTS, command.startswith), (_ENDS, command.endswith)):
        if boundary is not None:
            held = _lower_boundary(boundary, relation, binder)
            relation = relation.extend([(name, held)], binder.names)
            flags.append(name)
    newest = Order(column(time.stamp or time.ident), descending=True, number=column(time.ident))
    events = binder.narrowed(relation, (*command.fields, "_time", "_raw", *flags))
    events = events.ordered([newest, *(o for o in relation.order if o.sql != newest.sql)])
    pause = _count_seconds(command.maxpause)
    maxevents = command.maxevents if command.maxevents > 0 else None
    if _needs_pauses_only(command):
        sessions = build_sessions(
            events, command.fields[0], pause=pause, maxevents=maxevents, binder=binder
        )
        if sessions is not None:
            return sessions
    rules = Rules(
        fields=command.fields,
        starts=_STARTS if command.startswith is not None else None,
        ends=_ENDS if command.endswith is not None else None,
        span=_count_seconds(command.maxspan),
        pause=pause,
        events=maxevents,
        connected=command.connected,
        unify_ends=command.unifyends,
        keep_orphans=command.keeporphans,
        keep_evicted=command.keepevicted,
        listed=None if command.mvlist is True else command.mvlist or (),
        null=command.nullstr,
    )
    return binder.batch(
        events,
        "transaction",
        partial(transactions_of, rules=rules, hidden=flags),
        known=(*(n for n in events.names() if n not in flags), *MADE),
        kinds={"_time": FieldType.TIME},
        keeps_empty=True,
        groups=_find_groups(events, rules, flags),
    )


def _find_groups(events: Relation, rules: Rules, flags: Sequence[str]) -> Groups | None:
    """Events with the same values of the fields are apart from all others, where no event has some
    of the fields only, nor begins or ends the transaction of others without one."""
    bound = [events.bound(name) for name in (*rules.fields, *flags)]
    known = [b for b in bound if b is not None]
    if not rules.fields or len(known) < len(bound):
        return None
    missing = [has_no_value(column(b.ident)) for b in known[: len(rules.fields)]]
    some = all_hold([any_holds([m.copy() for m in missing]), negate(all_hold(missing))])
    marked = [column(b.ident) for b in known[len(rules.fields) :]]
    bounds_others = all_hold([*(m.copy() for m in missing), any_holds(marked)])
    return Groups(
        fields=rules.fields,
        unless=some if rules.unify_ends or not marked else any_holds([some, bounds_others]),
        function=partial(_make_of_some, rules=rules, hidden=tuple(flags)),
        join=order_transactions,
    )


def _make_of_some(table: pa.Table, number: str, *, rules: Rules, hidden: Sequence[str]) -> pa.Table:
    return transactions_of(table, rules, hidden, number)


def _needs_pauses_only(command: Transaction) -> bool:
    """Whether windows and a grouping can tell the transactions."""
    more = (
        command.startswith is not None
        or command.endswith is not None
        or command.maxspan is not None
        or command.keeporphans
        or command.mvlist
    )
    return not more and len(command.fields) == 1


def _lower_boundary(boundary: Boundary, relation: Relation, binder: Binder) -> Typed:
    if boundary.expr is not None:
        sql = as_boolean(binder.evaluate(boundary.expr, relation))
    else:
        assert boundary.search is not None
        sql = binder.condition(boundary.search, relation)
    return Typed(sql, FieldType.BOOLEAN)


def _count_seconds(span: BinSpan | None) -> float | None:
    if span is None:
        return None
    if span.unit in MONTHS:
        return span.size * MONTHS[span.unit] * 30 * 86400
    return span.size * SECONDS[span.unit or "s"]
