"""``union``: the rows of several datasets (Search Reference: union)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command
from escudo.spl.commands.from_ import KINDS, From
from escudo.spl.operators.stacking import combine_rows
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import Pipeline
from escudo.spl.syntax.unparse import option


@dataclass(frozen=True)
class Union(Command):
    """``union [options] dataset ...``; a dataset is a subsearch or ``kind:name``.

    At the start of a search it generates, later its input is the first dataset.
    """

    name: ClassVar[str] = "union"
    generating: ClassVar[bool] = True

    datasets: tuple[Pipeline, ...]
    maxtime: int = 60
    maxout: int = 50_000
    timeout: int = 60

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.options("maxtime", "maxout", "timeout")
        datasets = args.separated(lambda: _dataset(args))
        if not datasets:
            args.missing("a dataset")
        return cls(
            datasets,
            options.integer("maxtime", 60),
            options.integer("maxout", 50_000),
            options.integer("timeout", 60),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "union"
            + option("maxtime", self.maxtime, 60)
            + option("maxout", self.maxout, 50_000)
            + option("timeout", self.timeout, 60)
            + "".join(f" [{d.format(nested=True)}]" for d in self.datasets)
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        if source is None:
            return combine_rows([binder.subsearch(p) for p in self.datasets], binder)
        parts = [
            binder.limited_subsearch(p, self.maxout, self, limit_option="maxout")
            for p in self.datasets
        ]
        return combine_rows([source, *parts], binder)


def _dataset(args: Args) -> Pipeline:
    if args.at("["):
        return args.subsearch()
    token = args.peek()
    text = args.name("a subsearch or a dataset such as datamodel:Model.Dataset")
    kind, _, name = text.partition(":")
    if kind.lower() not in KINDS or not name:
        args.fail(f"'{text}' is no dataset", token, hint="write [ subsearch ] or kind:name")
    span = args.span(token.start)
    return Pipeline((From(kind.lower(), name, span=span),), span=span)
