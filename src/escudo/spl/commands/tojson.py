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
from escudo.spl.relation.sql import (
    case_when,
    coalesce,
    has_value,
    list_of,
    literal_text,
    negate,
    prelude_call,
)
from escudo.spl.relation.values import NUMERIC, Typed, text_value
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import Node
from escudo.spl.syntax.options import (
    boolean_option,
    choice_option,
    format_options,
    text_option,
)
from escudo.spl.syntax.unparse import word
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
    """``tojson [fields] [options]``.

    A row's fields as a JSON object: those named, or all but the internal ones; a name may hold
    ``*``. ``kind(field)`` says how a value is written: ``str`` and ``none`` as text, ``num``,
    ``bool`` and ``json`` as what the text says where it says so, ``auto`` as a number, a Boolean or
    a document where the text is one. A multivalue is a list.

    Differs from Splunk: what the engine holds as a number is one with ``str`` and ``none``, too.
    """

    name: ClassVar[str] = "tojson"

    fields: tuple[JsonField, ...] = ()
    default_type: str = choice_option(KINDS, "none", "The kind of fields that name none.")
    fill_null: bool = boolean_option(False, "Whether fields without a value are null there.")
    include_internal: bool = boolean_option(False, "Whether ``*`` stands for internal fields, too.")
    output_field: str = text_option("_raw", "The field of the result.")

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        fields: list[JsonField] = []
        while args.more():
            if args.at_option() is not None:
                args.read_options(cls, into=options)
            elif not args.accept(","):
                fields.append(_read_field(args))
        return cls(fields=tuple(fields), **options.values(cls), span=args.span())

    def format(self) -> str:
        fields = "".join(f" {f.format()}" for f in self.fields)
        return f"tojson{fields}{format_options(self)}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = binder.closed(rows(source, self))
        wanted = self.fields or (JsonField("*"),)
        names = [
            (name, item.kind or self.default_type)
            for item in wanted
            for name in select_names(self._patterns(item.field), relation.names())
        ]
        value = make_json_object(names, relation, fill_null=self.fill_null)
        return relation.extend([(self.output_field, value)], binder.names)

    def _patterns(self, field: str) -> list[str]:
        """A field or pattern, and the internal fields that belong to it if they are wanted."""
        return [field, f"_{field}"] if self.include_internal and field.startswith("*") else [field]


def _read_field(args: Args) -> JsonField:
    token = args.peek()
    kind = args.accept_word(*KINDS)
    if kind is not None and args.accept("("):
        field = args.name()
        args.expect(")")
        return JsonField(field, kind, span=args.span(token.start))
    args.position = token.start
    return JsonField(args.name(), span=args.span(token.start))


def make_json_object(
    names: Sequence[tuple[str, str]], relation: Relation, *, fill_null: bool
) -> Typed:
    """The fields (name, kind) as an object; null fields are left out unless ``fill_null``."""
    keys: list[exp.Expression] = []
    values: list[exp.Expression] = []
    for name, kind in names:
        value = relation.field(name)
        if value is None:
            continue
        text = _write_json(value, kind)
        key: exp.Expression = literal_text(name)
        if fill_null:
            text = coalesce(text, literal_text("null"))
        else:
            key = case_when((has_value(text.copy()), key))
        keys.append(key)
        values.append(text)
    if not keys:
        return text_value("{}")
    lists = [prelude_call("spl_values", list_of(items)) for items in (keys, values)]
    made = prelude_call("spl_json_object", *lists)
    return Typed(coalesce(made, literal_text("{}")), FieldType.STRING)


def _write_json(value: Typed, kind: str) -> exp.Expression:
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
            return case_when(
                (flag.copy(), literal_text("true")), (negate(flag), literal_text("false"))
            )
        case "json":
            return prelude_call("spl_json", text)
        case "auto":
            return coalesce(prelude_call("spl_json", text.copy()), quoted)
    if value.type in NUMERIC:
        return number
    return quoted
