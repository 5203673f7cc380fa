"""``tags``: the tags of field values (Search Reference: tags)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.values import null_value
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.parse_eval import parse_eval
from escudo.spl.syntax.unparse import option, words


@dataclass(frozen=True)
class Tags(Command):
    """``tags [outputfield=] [inclname=] [inclvalue=] [allowed_tags=] [fields]``.

    The tags are those that the sources give their events (``tag::eventtype``), by which the data
    models choose them: process, report, network and so on. They go into ``outputfield``, perhaps
    with the field's name or value before each, or into ``tags``.
    """

    name: ClassVar[str] = "tags"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, reads_also=("tag::*",))

    fields: tuple[str, ...] = ()
    outputfield: str | None = None
    inclname: bool = False
    inclvalue: bool = False
    allowed_tags: str | None = None

    def declaration(self) -> Declaration:
        """With ``inclvalue`` it reads each field that has tags, and names none of them."""
        reads_values = self.inclvalue and not self.fields
        return replace(self.declares, reads=Reads.ANY) if reads_values else self.declares

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
        tagged = [n.removeprefix(_PREFIX) for n in relation.names() if n.startswith(_PREFIX)]
        wanted = [f for f in tagged if not self.fields or f in self.fields]
        output = self.outputfield or "tags"
        if not wanted:
            return relation.extend([(output, null_value())], binder.names)
        parts = ", ".join(self._of(field) for field in wanted)
        value = binder.evaluate(parse_eval(f"mvdedup(mvappend({parts}))"), relation)
        return relation.extend([(output, value)], binder.names)

    def _of(self, field: str) -> str:
        """The tags of a field, as an eval expression."""
        tag = f"'{_PREFIX}{field}'"
        if self.allowed_tags is not None:
            allowed = "|".join(re.escape(t.strip()) for t in self.allowed_tags.split(","))
            tag = f'mvfilter(match({tag}, "^({allowed})$"))'
        before = (f'"{field}::" . ' if self.inclname else "") + (
            f"'{field}' . \"::\" . " if self.inclvalue else ""
        )
        if self.outputfield is None or not before:
            return tag
        return f"mvmap('{_PREFIX}{field}', {before}{tag})"


_PREFIX = "tag::"
"""What the fields are called that hold the tags of another field (of ``eventtype``, mostly)."""
