"""``join``: rows with the fields of matching rows of a subsearch (Search Reference: join)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.spl.args import Args
from escudo.spl.ast import Command, Pipeline
from escudo.spl.bind import rows
from escudo.spl.join import joined
from escudo.spl.unparse import option, word

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class Join(Command):
    """``join [options] fields [subsearch]``, or ``join left=L right=R where L.a=R.b [subsearch]``.

    ``kind`` is ``inner`` or ``left`` (``outer`` is the same). Without fields, all fields that both
    sides have. ``pairs`` are the (left, right) fields of the second form. ``max`` 0 is unlimited.
    """

    name: ClassVar[str] = "join"

    subsearch: Pipeline
    fields: tuple[str, ...] = ()
    kind: str = "inner"
    usetime: bool = False
    earlier: bool = True
    overwrite: bool = True
    max: int = 1
    left: str | None = None
    right: str | None = None
    pairs: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, args: Args) -> Self:
        fields, options = args.names_and_options(*OPTIONS, stops=("where",))
        left, right = options.text("left", None), options.text("right", None)
        pairs: tuple[tuple[str, str], ...] = ()
        if args.accept_word("where"):
            pairs = _pairs(args, left, right)
        subsearch = args.subsearch()
        kind = options.choice("type", ("inner", "left", "outer"), "inner")
        return cls(
            subsearch,
            fields,
            "left" if kind == "outer" else kind,
            options.boolean("usetime", False),
            options.boolean("earlier", True),
            options.boolean("overwrite", True),
            options.integer("max", 1, least=0),
            left,
            right,
            pairs,
            span=args.span(),
        )

    def format(self) -> str:
        out = (
            "join"
            + option("type", self.kind, "inner")
            + option("usetime", self.usetime, False)
            + option("earlier", self.earlier, True)
            + option("overwrite", self.overwrite, True)
            + option("max", self.max, 1)
            + option("left", self.left)
            + option("right", self.right)
        )
        if self.fields:
            out += " " + " ".join(word(f, "where") for f in self.fields)
        if self.pairs:
            out += " where " + " AND ".join(
                f"{word(f'{self.left}.{a}')}={word(f'{self.right}.{b}')}" for a, b in self.pairs
            )
        return f"{out} [{self.subsearch.format(nested=True)}]"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        other = binder.limited_subsearch(self.subsearch, MOST_ROWS, self)
        return joined(relation, other, self, binder)


OPTIONS = ("type", "usetime", "earlier", "overwrite", "max", "left", "right")


def _pairs(args: Args, left: str | None, right: str | None) -> tuple[tuple[str, str], ...]:
    """``L.a=R.b`` conditions, joined by AND or blanks."""
    if left is None or right is None:
        args.missing("left= and right= before WHERE")
    out: list[tuple[str, str]] = []
    while args.more() and not args.at("["):
        if args.accept_word("and") or args.accept(","):
            continue
        token = args.peek()
        first = args.name(f"a field such as {left}.id")
        args.expect("=")
        second = args.name(f"a field such as {right}.id")
        if first.startswith(f"{right}.") and second.startswith(f"{left}."):
            first, second = second, first
        if not (first.startswith(f"{left}.") and second.startswith(f"{right}.")):
            args.fail(f"a condition of this join is {left}.field={right}.field", token)
        out.append((first[len(left) + 1 :], second[len(right) + 1 :]))
    return tuple(out)


MOST_ROWS = 50_000
"""Rows of the subsearch that take part (limits.conf, [join] subsearch_maxout)."""
