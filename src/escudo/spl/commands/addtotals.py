"""``addtotals``: sums of rows and of columns (Search Reference: addtotals)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.unparse import option, words

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class AddTotals(Command):
    """``addtotals [row=] [col=] [labelfield=] [label=] [fieldname=] [fields]``."""

    name: ClassVar[str] = "addtotals"

    fields: tuple[str, ...] = ()
    row: bool = True
    col: bool = False
    labelfield: str | None = None
    label: str = "Total"
    fieldname: str = "Total"

    @classmethod
    def parse(cls, args: Args) -> Self:
        fields, options = args.names_and_options("row", "col", "labelfield", "label", "fieldname")
        return cls(
            fields,
            options.boolean("row", True),
            options.boolean("col", False),
            options.text("labelfield", None),
            options.text("label", "Total"),
            options.text("fieldname", "Total"),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "addtotals"
            + option("row", self.row, True)
            + option("col", self.col, False)
            + option("labelfield", self.labelfield)
            + option("label", self.label, "Total")
            + option("fieldname", self.fieldname, "Total")
            + (f" {words(self.fields, separator=' ')}" if self.fields else "")
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        raise EscudoError("SPL300", f"command '{self.name}' is not supported yet", span=self.span)
