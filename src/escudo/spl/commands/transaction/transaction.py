"""``transaction``: events into groups (Search Reference: transaction)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.core.schema import FieldType
from escudo.spl.batch.transactions import MADE, Rules, transactions_of
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.commands.transaction.session_windows import build_sessions
from escudo.spl.relation.coercion import as_boolean
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import column
from escudo.spl.relation.steps import Order
from escudo.spl.relation.values import Typed
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import EvalExpr, Node, SearchExpr
from escudo.spl.syntax.lexer import Kind
from escudo.spl.syntax.options import Options
from escudo.spl.syntax.parse_search import parse_search
from escudo.spl.syntax.spans import MONTHS, SECONDS, BinSpan
from escudo.spl.syntax.unparse import eval_text, option, search_text, word


@dataclass(frozen=True)
class Boundary(Node):
    """What begins or ends a transaction: a search expression, or ``eval(expr)``; one is set."""

    search: SearchExpr | None = None
    expr: EvalExpr | None = None

    def format(self) -> str:
        if self.expr is not None:
            return f"eval({eval_text(self.expr)})"
        return f"({search_text(self.search)})" if self.search is not None else "()"


@dataclass(frozen=True)
class Transaction(Command):
    """``transaction [fields] [name=] [options]``.

    ``maxspan`` and ``maxpause`` None are unlimited, ``maxevents`` is 1000 by default.
    """

    name: ClassVar[str] = "transaction"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, looks_ahead=True)

    fields: tuple[str, ...] = ()
    kind: str | None = None
    maxspan: BinSpan | None = None
    maxpause: BinSpan | None = None
    maxevents: int = 1000
    startswith: Boundary | None = None
    endswith: Boundary | None = None
    connected: bool = True
    unifyends: bool = False
    keeporphans: bool = False
    maxopentxn: int | None = None
    maxopenevents: int | None = None
    keepevicted: bool = False
    delim: str = " "
    mvlist: bool = False
    mvlist_fields: tuple[str, ...] = ()
    mvraw: bool = False
    nullstr: str = "NULL"

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = Options(args.source)
        fields: list[str] = []
        bounds: dict[str, Boundary] = {}
        mvlist = False
        mvlist_fields: tuple[str, ...] = ()
        while args.more():
            token = args.at_option()
            if token is None:
                if not args.accept(","):
                    fields.append(args.name())
                continue
            lower = token.text.lower()
            if lower in ("startswith", "endswith"):
                args.next()
                args.next()
                bounds[lower] = _boundary(args)
            elif lower == "mvlist":
                mvlist, mvlist_fields = _mvlist(args)
            else:
                args.options(*OPTIONS, "startswith", "endswith", "mvlist", into=options, one=True)
        return cls(
            tuple(fields),
            options.text("name", None),
            _limit(options, "maxspan"),
            _limit(options, "maxpause"),
            options.integer("maxevents", 1000),
            bounds.get("startswith"),
            bounds.get("endswith"),
            options.boolean("connected", True),
            options.boolean("unifyends", False),
            options.boolean("keeporphans", False),
            options.integer("maxopentxn", None, least=1),
            options.integer("maxopenevents", None, least=1),
            options.boolean("keepevicted", False),
            options.text("delim", " "),
            mvlist,
            mvlist_fields,
            options.boolean("mvraw", False),
            options.text("nullstr", "NULL"),
            span=args.span(),
        )

    def format(self) -> str:
        out = "transaction" + "".join(f" {word(f)}" for f in self.fields)
        out += (
            option("name", self.kind)
            + option("maxspan", self.maxspan.format() if self.maxspan else None)
            + option("maxpause", self.maxpause.format() if self.maxpause else None)
            + option("maxevents", self.maxevents, 1000)
        )
        if self.startswith is not None:
            out += f" startswith={self.startswith.format()}"
        if self.endswith is not None:
            out += f" endswith={self.endswith.format()}"
        out += (
            option("connected", self.connected, True)
            + option("unifyends", self.unifyends, False)
            + option("keeporphans", self.keeporphans, False)
            + option("maxopentxn", self.maxopentxn)
            + option("maxopenevents", self.maxopenevents)
            + option("keepevicted", self.keepevicted, False)
            + option("delim", self.delim, " ")
            + option("mvraw", self.mvraw, False)
            + option("nullstr", self.nullstr, "NULL")
        )
        if self.mvlist_fields:
            names = ",".join(self.mvlist_fields)
            # One field that is named like a truth value is told from it by a comma.
            return out + f' mvlist="{names}{"," if names.lower() in _TRUTHS else ""}"'
        return out + option("mvlist", self.mvlist, False)

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        return build_transactions(rows(source, self), self, binder)


OPTIONS = (
    "name",
    "maxspan",
    "maxpause",
    "maxevents",
    "connected",
    "unifyends",
    "keeporphans",
    "maxopentxn",
    "maxopenevents",
    "keepevicted",
    "delim",
    "mvraw",
    "nullstr",
)


_TRUTHS = {"t": True, "true": True, "1": True, "f": False, "false": False, "0": False}


def _limit(options: Options, name: str) -> BinSpan | None:
    """A span; ``-1`` is unlimited."""
    return None if options.text(name, "-1") == "-1" else options.span(name, None)


def _boundary(args: Args) -> Boundary:
    token = args.peek()
    if token.kind is Kind.STRING:
        args.next()
        return Boundary(parse_search(token.text), span=args.span(token.start))
    if args.accept_word("eval"):
        args.expect("(")
        expr = args.eval()
        args.expect(")")
        return Boundary(expr=expr, span=args.span(token.start))
    if args.accept("("):
        search = args.search()
        args.expect(")")
        return Boundary(search, span=args.span(token.start))
    word_ = args.name("a search in quotes, (a search) or eval(a condition)")
    return Boundary(parse_search(word_), span=args.span(token.start))


def _mvlist(args: Args) -> tuple[bool, tuple[str, ...]]:
    """``mvlist=true``, or the fields whose values are kept as lists."""
    args.next()
    args.next()
    text = args.name("true, false or a list of fields")
    truth = _TRUTHS.get(text.lower())
    if truth is not None:
        return truth, ()
    return True, tuple(name for f in text.split(",") if (name := f.strip()))


_STARTS, _ENDS = "_transaction_starts", "_transaction_ends"


def build_transactions(relation: Relation, command: Transaction, binder: Binder) -> Relation:
    """The events of a search as transactions."""
    time = relation.bound("_time")
    if time is None:
        raise EscudoError("SPL105", "transaction needs _time", span=command.span)
    flags: list[str] = []
    for name, boundary in ((_STARTS, command.startswith), (_ENDS, command.endswith)):
        if boundary is not None:
            held = _condition(boundary, relation, binder)
            relation = relation.extend([(name, held)], binder.names)
            flags.append(name)
    newest = Order(column(time.stamp or time.ident), descending=True, number=column(time.ident))
    events = binder.narrowed(relation, (*command.fields, "_time", "_raw", *flags))
    events = events.ordered([newest, *(o for o in relation.order if o.sql != newest.sql)])
    pause = _seconds(command.maxpause)
    maxevents = command.maxevents if command.maxevents > 0 else None
    if _by_pauses_only(command):
        sessions = build_sessions(
            events, command.fields[0], pause=pause, maxevents=maxevents, binder=binder
        )
        if sessions is not None:
            return sessions
    listed: tuple[str, ...] | None = command.mvlist_fields
    if command.mvlist and not command.mvlist_fields:
        listed = None
    rules = Rules(
        command.fields,
        _STARTS if command.startswith is not None else None,
        _ENDS if command.endswith is not None else None,
        _seconds(command.maxspan),
        pause,
        maxevents,
        command.connected,
        command.unifyends,
        command.keeporphans,
        command.keepevicted,
        listed,
        command.nullstr,
    )
    return binder.batch(
        events,
        "transaction",
        lambda table: transactions_of(table, rules, flags),
        known=(*(n for n in events.names() if n not in flags), *MADE),
        kinds={"_time": FieldType.TIME},
    )


def _by_pauses_only(command: Transaction) -> bool:
    """Whether windows and a grouping can tell the transactions."""
    more = (
        command.startswith is not None
        or command.endswith is not None
        or command.maxspan is not None
        or command.keeporphans
        or command.mvlist
    )
    return not more and len(command.fields) == 1


def _condition(boundary: Boundary, relation: Relation, binder: Binder) -> Typed:
    if boundary.expr is not None:
        sql = as_boolean(binder.evaluate(boundary.expr, relation))
    else:
        assert boundary.search is not None
        sql = binder.condition(boundary.search, relation)
    return Typed(sql, FieldType.BOOLEAN)


def _seconds(span: BinSpan | None) -> float | None:
    if span is None:
        return None
    if span.unit in MONTHS:
        return span.size * MONTHS[span.unit] * 30 * 86400
    return span.size * SECONDS[span.unit or "s"]
