"""``foreach``: a subpipeline for each of several fields or values (Search Reference: foreach)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.bind import rows
from escudo.spl.iteration import iterated
from escudo.spl.unparse import option, word

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class Foreach(Command):
    """``foreach [mode=m] fields [options] [template]``.

    ``template`` is the text of a pipeline in which ``<<FIELD>>`` and kin stand for what is
    iterated. ``mode`` is ``multifield`` (fields, perhaps with ``*``), ``multivalue``,
    ``json_array`` or ``auto_collections`` (one field each).
    """

    name: ClassVar[str] = "foreach"

    fields: tuple[str, ...]
    template: str
    mode: str = "multifield"
    fieldstr: str = "<<FIELD>>"
    matchstr: str = "<<MATCHSTR>>"
    matchseg1: str = "<<MATCHSEG1>>"
    matchseg2: str = "<<MATCHSEG2>>"
    matchseg3: str = "<<MATCHSEG3>>"
    itemstr: str = "<<ITEM>>"
    iterstr: str = "<<ITER>>"

    @classmethod
    def parse(cls, args: Args) -> Self:
        fields, options = args.names_and_options(*OPTIONS)
        if not fields:
            args.missing("a field, perhaps with a wildcard")
        if not args.at("["):
            args.expected("a template in '[ ]'")
        template = args.subsearch_text()
        _, options = args.names_and_options(*OPTIONS, into=options)
        return cls(
            fields,
            template,
            options.choice("mode", MODES, "multifield"),
            options.text("fieldstr", "<<FIELD>>"),
            options.text("matchstr", "<<MATCHSTR>>"),
            options.text("matchseg1", "<<MATCHSEG1>>"),
            options.text("matchseg2", "<<MATCHSEG2>>"),
            options.text("matchseg3", "<<MATCHSEG3>>"),
            options.text("itemstr", "<<ITEM>>"),
            options.text("iterstr", "<<ITER>>"),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "foreach"
            + option("mode", self.mode, "multifield")
            + option("fieldstr", self.fieldstr, "<<FIELD>>")
            + option("matchstr", self.matchstr, "<<MATCHSTR>>")
            + option("matchseg1", self.matchseg1, "<<MATCHSEG1>>")
            + option("matchseg2", self.matchseg2, "<<MATCHSEG2>>")
            + option("matchseg3", self.matchseg3, "<<MATCHSEG3>>")
            + option("itemstr", self.itemstr, "<<ITEM>>")
            + option("iterstr", self.iterstr, "<<ITER>>")
            + f" {' '.join(word(f) for f in self.fields)} [{self.template}]"
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        return iterated(rows(source, self), self, binder)


MODES = ("multifield", "multivalue", "json_array", "auto_collections")
OPTIONS = (
    "mode",
    "fieldstr",
    "matchstr",
    "matchseg1",
    "matchseg2",
    "matchseg3",
    "itemstr",
    "iterstr",
)
