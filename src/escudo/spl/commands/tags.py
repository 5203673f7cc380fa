"""``tags``: the tags of field values (Search Reference: tags)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.spl import coerce
from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.bind import rows
from escudo.spl.unparse import option, words

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class Tags(Command):
    """``tags [outputfield=] [inclname=] [inclvalue=] [allowed_tags=] [fields]``."""

    name: ClassVar[str] = "tags"

    fields: tuple[str, ...] = ()
    outputfield: str | None = None
    inclname: bool = False
    inclvalue: bool = False
    allowed_tags: str | None = None

    @classmethod
    def parse(cls, args: Args) -> Self:
        fields, options = args.names_and_options(
            "outputfield", "inclname", "inclvalue", "allowed_tags"
        )
        return cls(
            fields,
            options.text("outputfield", None),
            options.boolean("inclname", False),
            options.boolean("inclvalue", False),
            options.text("allowed_tags", None),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "tags"
            + option("outputfield", self.outputfield)
            + option("inclname", self.inclname, False)
            + option("inclvalue", self.inclvalue, False)
            + option("allowed_tags", self.allowed_tags)
            + (f" {words(self.fields, separator=' ')}" if self.fields else "")
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        name = self.outputfield or "tag"
        return relation.extend([(name, coerce.null())], binder.names)
