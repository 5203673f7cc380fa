"""``tojson``: a row as a JSON object (Search Reference: tojson)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.spl.args import Args
from escudo.spl.ast import Command, Node
from escudo.spl.bind import rows
from escudo.spl.jsonrow import json_object
from escudo.spl.unparse import option, word
from escudo.spl.wildcards import select_names

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation

KINDS = ("auto", "bool", "json", "none", "num", "str")


@dataclass(frozen=True)
class JsonField(Node):
    """``field`` or ``kind(field)``; the field may hold ``*``; ``kind`` None is the default."""

    field: str
    kind: str | None = None

    def format(self) -> str:
        inner = word(self.field)
        return inner if self.kind is None else f"{self.kind}({inner})"


@dataclass(frozen=True)
class Tojson(Command):
    """``tojson [fields] [default_type=] [fill_null=] [include_internal=] [output_field=]``."""

    name: ClassVar[str] = "tojson"

    fields: tuple[JsonField, ...] = ()
    default_type: str = "none"
    fill_null: bool = False
    include_internal: bool = False
    output_field: str = "_raw"

    @classmethod
    def parse(cls, args: Args) -> Self:
        known = ("default_type", "fill_null", "include_internal", "output_field")
        options = args.options(*known)
        fields: list[JsonField] = []
        while args.more():
            if args.at_option() is not None:
                args.options(*known, into=options)
            elif not args.accept(","):
                fields.append(_field(args))
        return cls(
            tuple(fields),
            options.choice("default_type", KINDS, "none"),
            options.boolean("fill_null", False),
            options.boolean("include_internal", False),
            options.text("output_field", "_raw"),
            span=args.span(),
        )

    def format(self) -> str:
        return (
            "tojson"
            + "".join(f" {f.format()}" for f in self.fields)
            + option("default_type", self.default_type, "none")
            + option("fill_null", self.fill_null, False)
            + option("include_internal", self.include_internal, False)
            + option("output_field", self.output_field, "_raw")
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = binder.closed(rows(source, self))
        wanted = self.fields or (JsonField("*"),)
        names = [
            (name, item.kind or self.default_type)
            for item in wanted
            for name in select_names(self._patterns(item.field), relation.names())
        ]
        value = json_object(names, relation, fill_null=self.fill_null)
        return relation.extend([(self.output_field, value)], binder.names)

    def _patterns(self, field: str) -> list[str]:
        """A field or pattern, and the internal fields that belong to it if they are wanted."""
        return [field, f"_{field}"] if self.include_internal and field.startswith("*") else [field]


def _field(args: Args) -> JsonField:
    token = args.peek()
    kind = args.accept_word(*KINDS)
    if kind is not None and args.accept("("):
        field = args.name()
        args.expect(")")
        return JsonField(field, kind, span=args.span(token.start))
    args.position = token.start
    return JsonField(args.name(), span=args.span(token.start))
