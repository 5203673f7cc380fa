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
from escudo.spl.relation.sql import alias, prelude_call, select
from escudo.spl.relation.values import Typed, null_value
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import Call, FieldRef
from escudo.spl.syntax.unparse import option, word
from escudo.spl.syntax.wildcards import pattern, select_names


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


_ITEM = "__foreach_item"
MOST_VALUES = 1000
"""Values that one ``foreach`` goes through."""


def iterated(relation: Relation, command: Foreach, binder: Binder) -> Relation:
    """``foreach``: the template once for each field, or once for each value of a field."""
    if command.mode == "multifield":
        return _each_field(relation, command, binder)
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
    return _each_value(relation, value, command, binder)


def _each_field(relation: Relation, command: Foreach, binder: Binder) -> Relation:
    known = binder.matching(relation, command.fields)
    visible = [n for n in known if not n.startswith("_")]
    number = 0
    for wanted in command.fields:
        for name in select_names([wanted], visible):
            if relation.bound(name) is None:
                continue
            found = pattern(wanted).fullmatch(name)
            segments = found.groups() if found else ()
            text = command.template.replace(command.fieldstr, name)
            text = text.replace(command.matchstr, "".join(segments) if segments else name)
            text = text.replace(command.iterstr, str(number))
            tokens = (command.matchseg1, command.matchseg2, command.matchseg3)
            for i, token in enumerate(tokens):
                text = text.replace(token, segments[i] if i < len(segments) else "")
            relation = _run(relation, text, binder)
            number += 1
    return relation


def _run(relation: Relation, template: str, binder: Binder) -> Relation:
    text = template.strip()
    return binder.pipeline(binder.parse(text if text.startswith("|") else f"| {text}"), relation)


def _each_value(relation: Relation, values: Typed, command: Foreach, binder: Binder) -> Relation:
    """Values in turn, so that a template may add up; rows with fewer values stay as they are."""
    relation = relation.extend([(f"{_ITEM}s", values)], binder.names)
    items = relation.bound(f"{_ITEM}s")
    assert items is not None
    length = prelude_call("spl_len", items.typed().sql)
    for number in range(_longest(relation, length, binder)):
        has_one = exp.GT(this=length.copy(), expression=exp.Literal.number(number))
        index = exp.Literal.number(number)
        item = prelude_call("spl_mvindex", items.typed().sql, index)
        with_item = relation.extend([(_ITEM, Typed(item, FieldType.STRING))], binder.names)
        text = command.template.replace(f'"{command.itemstr}"', _ITEM)
        text = text.replace(f"'{command.itemstr}'", _ITEM).replace(command.itemstr, _ITEM)
        done = _run(with_item, text.replace(command.iterstr, str(number)), binder)
        changed: list[tuple[str, Typed]] = []
        for name, bound in done.fields.items():
            if bound is None or name == _ITEM or with_item.fields.get(name) == bound:
                continue
            after = bound.typed()
            earlier = relation.field(name)
            held = Typed(_chosen(has_one, after, earlier), _kind(after, earlier))
            changed.append((name, held))
        relation = done.extend(changed, binder.names)
    hidden: dict[str, Any] = dict.fromkeys((_ITEM, f"{_ITEM}s"))
    return relation.with_fields({**relation.fields, **hidden})


def _kind(after: Typed, earlier: Typed | None) -> FieldType:
    return common_type([after] if earlier is None else [after, earlier])


def _chosen(condition: exp.Expression, after: Typed, earlier: Typed | None) -> exp.Expression:
    kind = _kind(after, earlier)
    otherwise = null_value(kind) if earlier is None else earlier
    return exp.Case(
        ifs=[exp.If(this=condition.copy(), true=convert_to(after, kind))],
        default=convert_to(otherwise, kind).copy(),
    )


def _longest(relation: Relation, length: exp.Expression, binder: Binder) -> int:
    if binder.runner is None:
        binder.deferred.append("the number of values of foreach")
        return 1
    query = select([alias(exp.Max(this=length.copy()), "most")], relation.render())
    return min(binder.run(query, relation).column(0)[0].as_py() or 0, MOST_VALUES)
