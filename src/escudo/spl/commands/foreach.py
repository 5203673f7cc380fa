"""``foreach``: a subpipeline for each of several fields or values (Search Reference: foreach)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from sqlglot import exp

from escudo.core.errors import EscudoError
from escudo.core.schema import FieldType
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.relation.coercion import common_type, convert_to
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.sql import (
    alias,
    case_when,
    literal_integer,
    more_than,
    prelude_call,
    select,
)
from escudo.spl.relation.values import Typed, null_value
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import Call, FieldRef
from escudo.spl.syntax.options import choice_option, format_options, text_option
from escudo.spl.syntax.unparse import word
from escudo.spl.syntax.wildcards import pattern, select_names


@dataclass(frozen=True)
class Foreach(Command):
    """``foreach [options] fields [ template ]``.

    The template is the text of a pipeline, which runs once for each field, or once for each value
    of one field (at most 1,000). ``<<FIELD>>`` and kin stand in it for what the turn is about. A
    field may hold ``*``.

    Refused: several fields in a mode that goes through the values of one.
    """

    name: ClassVar[str] = "foreach"

    fields: tuple[str, ...]
    template: str
    mode: str = choice_option(
        ("multifield", "multivalue", "json_array", "auto_collections"),
        "multifield",
        "What the turns go through: the fields, the values of a multivalue, the elements of a JSON "
        "array, or what of the last two the field is.",
    )
    fieldstr: str = text_option("<<FIELD>>", "What stands for the field's name.")
    matchstr: str = text_option("<<MATCHSTR>>", "What stands for the part that `*` matches.")
    matchseg1: str = text_option("<<MATCHSEG1>>", "What stands for the part of the first `*`.")
    matchseg2: str = text_option("<<MATCHSEG2>>", "What stands for the part of the second `*`.")
    matchseg3: str = text_option("<<MATCHSEG3>>", "What stands for the part of the third `*`.")
    itemstr: str = text_option("<<ITEM>>", "What stands for the value.")
    iterstr: str = text_option("<<ITER>>", "What stands for the number of the turn, from 0.")

    @classmethod
    def parse(cls, args: Args) -> Self:
        fields, options = args.read_names_and_options(cls)
        if not fields:
            args.missing("a field, perhaps with a wildcard")
        if not args.at("["):
            args.expected("a template in '[ ]'")
        template = args.subsearch_text()
        args.read_options(cls, into=options)
        return cls(fields=fields, template=template, **options.values(cls), span=args.span())

    def format(self) -> str:
        fields = " ".join(word(f) for f in self.fields)
        return f"foreach{format_options(self)} {fields} [{self.template}]"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        return run_turns(rows(source, self), self, binder)


_ITEM = "__foreach_item"
MOST_VALUES = 1000
"""Values that one ``foreach`` goes through."""


def run_turns(relation: Relation, command: Foreach, binder: Binder) -> Relation:
    """The rows after the template has run once for each field, or for each value of a field."""
    if command.mode == "multifield":
        return _run_for_fields(relation, command, binder)
    if len(command.fields) != 1:
        raise EscudoError(
            "SPL105", f"foreach mode={command.mode} takes one field", span=command.span
        )
    (name,) = command.fields
    value = relation.field(name)
    if value is None:
        return relation
    is_list = value.type is FieldType.MULTIVALUE
    if command.mode == "json_array" or (command.mode == "auto_collections" and not is_list):
        value = binder.evaluate(Call("json_array_to_mv", (FieldRef(name),)), relation)
    return _run_for_values(relation, value, command, binder)


def _run_for_fields(relation: Relation, command: Foreach, binder: Binder) -> Relation:
    known = binder.matching(relation, command.fields)
    visible = [n for n in known if not n.startswith("_")]
    number = 0
    for wanted in command.fields:
        for name in select_names([wanted], visible):
            if relation.bound(name) is None:
                continue
            match = pattern(wanted).fullmatch(name)
            segments = match.groups() if match else ()
            text = command.template.replace(command.fieldstr, name)
            text = text.replace(command.matchstr, "".join(segments) if segments else name)
            text = text.replace(command.iterstr, str(number))
            tokens = (command.matchseg1, command.matchseg2, command.matchseg3)
            for i, token in enumerate(tokens):
                text = text.replace(token, segments[i] if i < len(segments) else "")
            relation = _run_template(relation, text, binder)
            number += 1
    return relation


def _run_template(relation: Relation, template: str, binder: Binder) -> Relation:
    text = template.strip()
    return binder.pipeline(binder.parse(text if text.startswith("|") else f"| {text}"), relation)


def _run_for_values(
    relation: Relation, values: Typed, command: Foreach, binder: Binder
) -> Relation:
    """Values in turn, so that a template may add up; rows with fewer values stay as they are."""
    relation = relation.extend([(f"{_ITEM}s", values)], binder.names)
    items = relation.bound(f"{_ITEM}s")
    assert items is not None
    length = prelude_call("spl_len", items.typed().sql)
    for number in range(_count_values(relation, length, binder)):
        has_one = more_than(length.copy(), literal_integer(number))
        item = prelude_call("spl_mvindex", items.typed().sql, literal_integer(number))
        with_item = relation.extend([(_ITEM, Typed(item, FieldType.STRING))], binder.names)
        text = command.template.replace(f'"{command.itemstr}"', _ITEM)
        text = text.replace(f"'{command.itemstr}'", _ITEM).replace(command.itemstr, _ITEM)
        done = _run_template(with_item, text.replace(command.iterstr, str(number)), binder)
        changed: list[tuple[str, Typed]] = []
        for name, bound in done.fields.items():
            if bound is None or name == _ITEM or with_item.fields.get(name) == bound:
                continue
            changed.append((name, _choose_value(has_one, bound.typed(), relation.field(name))))
        relation = done.extend(changed, binder.names)
    hidden: dict[str, Any] = dict.fromkeys((_ITEM, f"{_ITEM}s"))
    return relation.with_fields({**relation.fields, **hidden})


def _choose_value(condition: exp.Expression, after: Typed, earlier: Typed | None) -> Typed:
    """The value after a turn where the row has one, else the earlier one."""
    kind = common_type([after] if earlier is None else [after, earlier])
    otherwise = null_value(kind) if earlier is None else earlier
    turned = (condition.copy(), convert_to(after, kind))
    return Typed(case_when(turned, otherwise=convert_to(otherwise, kind).copy()), kind)


def _count_values(relation: Relation, length: exp.Expression, binder: Binder) -> int:
    if binder.runner is None:
        binder.deferred.append("the number of values of foreach")
        return 1
    query = select([alias(exp.Max(this=length.copy()), "most")], relation.render())
    return min(binder.run(query, relation).column(0)[0].as_py() or 0, MOST_VALUES)
