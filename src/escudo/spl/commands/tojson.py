"""``tojson``: a row as a JSON object (Search Reference: tojson)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from sqlglot import exp

from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.relation.coercion import as_number, as_text
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import literal_text, prelude_call
from escudo.spl.relation.values import NUMERIC, Typed, text_value
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import Node
from escudo.spl.syntax.unparse import option, word
from escudo.spl.syntax.wildcards import select_names

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


def json_object(names: Sequence[tuple[str, str]], relation: Relation, *, fill_null: bool) -> Typed:
    """The fields (name, kind) as an object; null fields are left out unless ``fill_null``.

    Kinds: ``str`` and ``none`` give text, ``num``, ``bool`` and ``json`` what the text says where
    it says so, ``auto`` a number, boolean or document where the text is one.
    """
    keys: list[exp.Expression] = []
    values: list[exp.Expression] = []
    for name, kind in names:
        value = relation.field(name)
        if value is None:
            continue
        text = _json(value, kind)
        known = exp.Not(this=exp.Is(this=text.copy(), expression=exp.null()))
        key: exp.Expression = literal_text(name)
        if fill_null:
            text = exp.Coalesce(this=text, expressions=[literal_text("null")])
        else:
            key = exp.Case(ifs=[exp.If(this=known, true=key)])
        keys.append(key)
        values.append(text)
    if not keys:
        return text_value("{}")
    lists = [prelude_call("spl_values", exp.Array(expressions=items)) for items in (keys, values)]
    made = prelude_call("spl_json_object", *lists)
    return Typed(exp.Coalesce(this=made, expressions=[literal_text("{}")]), FieldType.STRING)


def _json(value: Typed, kind: str) -> exp.Expression:
    if value.type is FieldType.MULTIVALUE:
        return prelude_call("spl_json_array", value.sql)
    text = as_text(value)
    quoted = prelude_call("spl_json_quote", text.copy())
    number = prelude_call("spl_text", as_number(Typed(text.copy(), FieldType.STRING)))
    match kind:
        case "num":
            return number
        case "bool":
            flag = prelude_call("spl_bool", text)
            truth = exp.If(this=flag.copy(), true=literal_text("true"))
            return exp.Case(
                ifs=[truth, exp.If(this=exp.Not(this=flag), true=literal_text("false"))]
            )
        case "json":
            return prelude_call("spl_json", text)
        case "auto":
            document = prelude_call("spl_json", text.copy())
            return exp.Coalesce(this=document, expressions=[quoted])
    if value.type in NUMERIC:
        return number
    return quoted
