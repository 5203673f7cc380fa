"""``union``: the rows of several datasets (Search Reference: union)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command
from escudo.spl.binding.limited_subsearch import bind_limited
from escudo.spl.commands.from_ import KINDS, From
from escudo.spl.operators.stacking import combine_rows
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import Pipeline
from escudo.spl.syntax.options import format_options, integer_option


@dataclass(frozen=True)
class Union(Command):
    """``union [options] dataset ...``.

    A dataset is a subsearch or ``kind:name``. At the start of a search it generates, later the rows
    so far are the first dataset. Streams of events come newest first, other rows one dataset after
    the other.
    """

    name: ClassVar[str] = "union"
    generating: ClassVar[bool] = True

    datasets: tuple[Pipeline, ...]
    maxtime: int = integer_option(60, "Seconds that a dataset may take; no effect here.")
    maxout: int = integer_option(
        50_000, "Rows that are taken of each dataset at most, but where union starts a search."
    )
    timeout: int = integer_option(60, "Seconds to wait for a dataset; no effect here.")

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        datasets = args.separated(lambda: _read_dataset(args))
        if not datasets:
            args.missing("a dataset")
        return cls(datasets=datasets, **options.values(cls), span=args.span())

    def format(self) -> str:
        datasets = "".join(f" [{d.format(nested=True)}]" for d in self.datasets)
        return f"union{format_options(self)}{datasets}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        if source is None:
            return combine_rows([binder.subsearch(p) for p in self.datasets], binder)
        parts = [
            bind_limited(p, self.maxout, self, binder, limit_option="maxout") for p in self.datasets
        ]
        return combine_rows([source, *parts], binder)


def _read_dataset(args: Args) -> Pipeline:
    if args.at("["):
        return args.subsearch()
    token = args.peek()
    text = args.name("a subsearch or a dataset such as datamodel:Model.Dataset")
    kind, _, name = text.partition(":")
    if kind.lower() not in KINDS or not name:
        args.fail(f"'{text}' is no dataset", token, hint="write [ subsearch ] or kind:name")
    span = args.span(token.start)
    return Pipeline((From(kind.lower(), name, span=span),), span=span)
