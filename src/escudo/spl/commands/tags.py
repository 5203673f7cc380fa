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
from escudo.spl.syntax.options import boolean_option, format_options, text_option
from escudo.spl.syntax.parse_eval import parse_eval
from escudo.spl.syntax.unparse import words


@dataclass(frozen=True)
class Tags(Command):
    """``tags [options] [fields]``.

    The tags of these fields, of all by default. They are those that the sources give their events
    (``tag::eventtype``), by which the data models choose them: process, report, network and so on.
    """

    name: ClassVar[str] = "tags"
    declares: ClassVar[Declaration] = Declaration(
        reads=Reads.NAMED, reads_also=("tag::*",), row_by_row=True
    )

    fields: tuple[str, ...] = ()
    outputfield: str | None = text_option(
        None, "The field of the result; `tags` by default, and without names and values then."
    )
    inclname: bool = boolean_option(False, "Whether the field's name stands before each tag.")
    inclvalue: bool = boolean_option(False, "Whether the field's value stands before each tag.")
    allowed_tags: str | None = text_option(None, "The tags that are taken, with commas between.")

    def declaration(self) -> Declaration:
        """With ``inclvalue`` it reads each field that has tags, and names none of them."""
        reads_values = self.inclvalue and not self.fields
        return replace(self.declares, reads=Reads.ANY) if reads_values else self.declares

    @classmethod
    def parse(cls, args: Args) -> Self:
        fields, options = args.read_names_and_options(cls)
        return cls(fields=fields, **options.values(cls), span=args.span())

    def format(self) -> str:
        fields = f" {words(self.fields, separator=' ')}" if self.fields else ""
        return f"tags{format_options(self)}{fields}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        tagged = [n.removeprefix(_PREFIX) for n in relation.names() if n.startswith(_PREFIX)]
        wanted = [f for f in tagged if not self.fields or f in self.fields]
        output = self.outputfield or "tags"
        if not wanted:
            return relation.extend([(output, null_value())], binder.names)
        parts = ", ".join(self._select_tags(field) for field in wanted)
        value = binder.evaluate(parse_eval(f"mvdedup(mvappend({parts}))"), relation)
        return relation.extend([(output, value)], binder.names)

    def _select_tags(self, field: str) -> str:
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
