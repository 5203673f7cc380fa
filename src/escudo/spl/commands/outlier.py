"""``outlier``: values far off the others (Search Reference: outlier)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.batch.outliers import Outliers, without_outliers
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.options import (
    boolean_option,
    choice_option,
    format_options,
    number_option,
)
from escudo.spl.syntax.unparse import words


@dataclass(frozen=True)
class Outlier(Command):
    """``outlier [options] [fields]``.

    Numbers beyond ``param`` times the interquartile range above the middle half are cut to that
    bound, or removed. Without fields, all fields of numbers.
    """

    name: ClassVar[str] = "outlier"

    fields: tuple[str, ...] = ()
    action: str = choice_option(
        ("remove", "transform"),
        "transform",
        "Whether outliers are removed or cut to the bound; `rm` and `tf` are short forms.",
        synonyms={"rm": "remove", "tf": "transform"},
    )
    mark: bool = boolean_option(False, "Whether 000 stands before a value that was cut.")
    param: float = number_option(2.5, "The bound, in interquartile ranges off the middle half.")
    uselower: bool = boolean_option(False, "Whether there is a bound below, too.")
    type: str = choice_option(("iqr",), "iqr", "How outliers are told; there is no other way.")

    @classmethod
    def parse(cls, args: Args) -> Self:
        fields, options = args.read_names_and_options(cls)
        return cls(fields=fields, **options.values(cls), span=args.span())

    def format(self) -> str:
        fields = f" {words(self.fields, separator=' ')}" if self.fields else ""
        return f"outlier{format_options(self)}{fields}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = binder.closed(rows(source, self))
        options = Outliers(
            remove=self.action == "remove",
            mark=self.mark,
            param=self.param,
            lower=self.uselower,
        )
        return binder.batch(
            relation, "outlier", lambda table: without_outliers(table, self.fields, options)
        )
