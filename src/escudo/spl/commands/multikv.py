"""``multikv``: fields out of events that are tables (Search Reference: multikv)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.batch.texttables import TextTables, table_rows
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.options import boolean_option, format_options, integer_option, text_option
from escudo.spl.syntax.unparse import words

_KEYWORDS = ("fields", "filter")


@dataclass(frozen=True)
class Multikv(Command):
    """``multikv [options] [fields f ...] [filter s ...]``.

    A row for each line of the table in ``_raw``, with a field for each column: only ``fields``
    where they are given, and only lines that hold one of the terms after ``filter``.

    Differs from Splunk: an event is read as one table; ``multitable`` and ``conf`` do nothing.
    """

    name: ClassVar[str] = "multikv"

    fields: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    conf: str | None = text_option(None, "A stanza of multikv.conf; no effect here.")
    copyattrs: bool = boolean_option(True, "Whether the rows have the fields of their event.")
    forceheader: int | None = integer_option(
        None, "The line of the header, from 1 on; it is looked for by default.", least=1
    )
    multitable: bool = boolean_option(
        True, "Whether an event may hold several tables; no effect here."
    )
    noheader: bool = boolean_option(
        False, "Whether there is no header; the columns are Column_1, Column_2 and so on."
    )
    rmorig: bool = boolean_option(True, "Whether the event itself is left out.")

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        given: dict[str, tuple[str, ...]] = dict.fromkeys(_KEYWORDS, ())
        while keyword := args.accept_word(*_KEYWORDS):
            names, options = args.read_names_and_options(cls, stops=_KEYWORDS, into=options)
            if not names:
                args.expected("a field" if keyword == "fields" else "a term")
            given[keyword] += names
        return cls(
            fields=given["fields"],
            filters=given["filter"],
            **options.values(cls),
            span=args.span(),
        )

    def format(self) -> str:
        clauses = "".join(
            f" {keyword} {words(names, *_KEYWORDS, separator=' ')}"
            for keyword, names in zip(_KEYWORDS, (self.fields, self.filters), strict=True)
            if names
        )
        return f"multikv{format_options(self)}{clauses}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = binder.closed(rows(source, self))
        options = TextTables(
            fields=self.fields,
            filters=self.filters,
            header=self.forceheader,
            copy_fields=self.copyattrs,
            no_header=self.noheader,
            remove_original=self.rmorig,
        )
        return binder.batch(
            relation, "multikv", lambda table: table_rows(table, options), keeps_empty=True
        )
