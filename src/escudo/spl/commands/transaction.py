"""``transaction``: events into groups (Search Reference: transaction)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.spl.args import Args
from escudo.spl.ast import Command, EvalExpr, Node, SearchExpr
from escudo.spl.bind import rows
from escudo.spl.lexer import Kind
from escudo.spl.options import Options
from escudo.spl.parse_search import parse_search
from escudo.spl.spans import BinSpan
from escudo.spl.transactions import transactions
from escudo.spl.unparse import eval_text, option, search_text, word

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


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
        return transactions(rows(source, self), self, binder)


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
