"""A search -> what the events that it finds must be, as far as its commands say.

``scenario`` calls it. The search is followed from its first command on. Each field of its rows is
kept as an expression over the fields of events; each filter becomes a condition over the same.
Where rows are made of several events (``stats``), a row is taken to be of one event: the value of
``values(x)`` is x there. What one event cannot give (``count``, ``dc``) is left open (``agg()``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from escudo.spl import (
    Aggregate,
    And,
    Bin,
    Binary,
    Call,
    Compare,
    Eval,
    EvalExpr,
    EventStats,
    FieldRef,
    Fillnull,
    Foreach,
    From,
    Iplocation,
    Join,
    Literal,
    Lookup,
    Mvexpand,
    Not,
    Or,
    Pipeline,
    Regex,
    Rename,
    Rex,
    Search,
    SearchExpr,
    Spath,
    Stats,
    StreamStats,
    SubsearchTerm,
    Transaction,
    Tstats,
    Where,
    Xmlkv,
    eval_text,
    search_text,
)
from escudo.synthesis.asked import Asked, Collected, Grouping, Statistic, Stream, Walk
from escudo.synthesis.conditions import (
    NOTHING,
    OPEN,
    SEVERAL,
    All,
    Condition,
    Found,
    Holds,
    Opposite,
    Present,
    conjuncts,
    of_role,
    of_search,
    of_table,
    substitute,
)
from escudo.synthesis.examples import find_groups
from escudo.synthesis.functions import UnknownValueError
from escudo.synthesis.kinds import EventKind
from escudo.synthesis.lookups import Lookups
from escudo.synthesis.subsearches import reads_table, table_conditions

_OF_ONE = frozenset(
    {
        *("values", "list", "first", "last", "latest", "earliest", "min", "max", "mode", "avg"),
        *("sum", "median", "perc", "estdc_error"),
    }
)
"""Statistics that are the value itself where there is one event."""


_PASSED = frozenset(
    {
        *("fields", "table", "convert", "sort", "dedup", "head", "tail", "reverse"),
        *("makemv", "mvcombine", "nomv", "fieldformat", "uniq", "outputlookup"),
        *("collect", "appendpipe", "append", "noop", "addinfo", "reltime"),
    }
)
"""Commands that take no row away that one event makes, or whose fields nothing is asked of."""


_PLACES = ("City", "Country", "Region", "Continent", "MetroCode", "Timezone", "lat", "lon")
"""What ``iplocation`` tells of an address, by a database that is not known here."""


_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}


Choose = Callable[[Stream], EventKind]
"""The kind of events of a stream."""


def follow(
    pipeline: Pipeline, choose: Choose, parse: Callable[[str], Pipeline], lookups: Lookups
) -> Walk:
    """What a search asks of events of the kinds that are chosen for its streams.

    Raises:
        UnknownValueError: it does not begin with events.
    """
    walk = Walk()
    _Follower(walk, choose, parse, lookups).run(pipeline)
    return walk


class _Rows:
    """The fields of rows as expressions over events."""

    def __init__(self, base: Callable[[str], EvalExpr]) -> None:
        self.known: dict[str, EvalExpr] = {}
        self.base = base

    def __call__(self, name: str) -> EvalExpr:
        found = self.known.get(name)
        return self.base(name) if found is None else found


class _Follower:
    def __init__(
        self, walk: Walk, choose: Choose, parse: Callable[[str], Pipeline], lookups: Lookups
    ) -> None:
        self.walk = walk
        self.lookups = lookups
        self.choose = choose
        self.parse = parse
        self.optional = False
        self.bucket: float | None = None
        self.role = 0
        """Of the events that were opened last."""

    def run(self, pipeline: Pipeline) -> _Rows:
        first, *others = pipeline.commands
        rows = self._begin(first)
        for command in others:
            rows = self._step(command, rows)
        return rows

    def _begin(self, command: Any) -> _Rows:
        match command:
            case Tstats():
                return self._tstats(command)
            case Search():
                _, rows = self._open(None, None)
                self._filter(command.expr, rows)
                return rows
            case From(kind="datamodel"):
                model, _, dataset = command.object.partition(".")
                _, rows = self._open(model, dataset or None)
                return rows
        raise UnknownValueError(f"its rows come from '{command.name}', not from events")

    def _open(self, model: str | None, dataset: str | None) -> tuple[Stream, _Rows]:
        stream = Stream(len(self.walk.streams), model, dataset)
        self.walk.streams.append(stream)
        self.role = stream.role
        kind = self.choose(stream)
        self.walk.kinds[stream.role] = kind
        self.walk.present += kind.conditions(stream.role)
        return stream, _Rows(lambda name: kind.express(_plain(name, stream), stream.role))

    def _tstats(self, command: Tstats) -> _Rows:
        stream, rows = self._open(command.model, command.dataset)
        kind = self.walk.kinds[stream.role]
        if not stream.raw:
            rows.base = partial(_of_model, rows.base)
        constraint = kind.dataset.schema.constraint if kind.dataset is not None else None
        if constraint is not None:
            parsed = self.parse(f"search {constraint}").commands[0]
            assert isinstance(parsed, Search)
            self._filter(parsed.expr, rows)
        if command.where is not None:
            self._filter(_without_node(command.where), rows, cidr=False)
        if "_time" in command.by and command.buckets.width is not None:
            width = command.buckets.width
            self.bucket = width.size * _SECONDS.get(width.unit or "s", 1.0)
        return self._group(command.aggregates, command.by, rows, command.fillnull_value)

    def _group(
        self,
        aggregates: Sequence[Aggregate],
        by: Sequence[str],
        rows: _Rows,
        fill: str | None,
    ) -> _Rows:
        if self.walk.of_events is None:
            self.walk.of_events = len(self.walk.asked)
        out = _Rows(lambda name: NOTHING)
        keys = tuple((name, rows(name)) for name in by)
        for name in by:
            value = rows(name)
            if fill is not None and name != "_time":
                value = Call("coalesce", (value, Literal(fill)))
            else:
                self.walk.present.append(Present(value))
            out.known[name] = value
        terms = self._add_aggregates(aggregates, rows, out)
        bucket = self.bucket if "_time" in by else None
        self.walk.groupings.append(Grouping("stats", keys, terms, bucket))
        return out

    def _add_aggregates(
        self, aggregates: Sequence[Aggregate], rows: _Rows, out: _Rows
    ) -> tuple[Statistic, ...]:
        terms: list[Statistic] = []
        added: dict[str, EvalExpr] = {}
        for aggregate in aggregates:
            if aggregate.field is not None and "*" in aggregate.field:
                added |= {name: rows(name) for name in rows.known}
                self.walk.unknown.append(f"{aggregate.function}({aggregate.field})")
                continue
            term, value = self._aggregate(aggregate, rows)
            terms.append(term)
            added[aggregate.output] = value
        out.known.update(added)
        return tuple(terms)

    def _aggregate(self, aggregate: Aggregate, rows: _Rows) -> tuple[Statistic, EvalExpr]:
        argument = None
        if aggregate.field is not None:
            argument = rows(aggregate.field)
        elif aggregate.expr is not None:
            argument = substitute(aggregate.expr, rows)
        term = Statistic(aggregate.function, argument, aggregate.output)
        number = Literal(len(self.walk.open_terms))
        if argument is not None and aggregate.function in _OF_ONE:
            if aggregate.function not in ("values", "list"):
                return term, argument
            self.walk.open_terms.append(term)
            return term, Call(SEVERAL, (number, argument))
        if aggregate.function == "range":
            return term, Literal(0)
        self.walk.open_terms.append(term)
        return term, Call(OPEN, (number,))

    # --- later commands ---------------------------------------------------------------------------

    def _step(self, command: Any, rows: _Rows) -> _Rows:
        try:
            return self._apply(command, rows)
        except UnknownValueError as error:
            self.walk.unknown.append(f"{command.name}: {error}")
            return rows

    def _apply(self, command: Any, rows: _Rows) -> _Rows:
        match command:
            case Search():
                self._filter(command.expr, rows)
            case Where():
                for part in _split_and(command.expr):
                    self._ask(Holds(substitute(part, rows)), eval_text(part))
            case Regex():
                found = Found(rows(command.field), command.pattern)
                self._ask(Opposite(found) if command.negated else found, command.format())
            case Eval():
                for assignment in command.assignments:
                    rows.known[assignment.field] = substitute(assignment.expr, rows)
            case Rename():
                _rename(command, rows)
            case Stats():
                return self._group(command.aggregates, command.by, rows, None)
            case EventStats() | StreamStats():
                keys = tuple((name, rows(name)) for name in command.by)
                terms = self._add_aggregates(command.aggregates, rows, rows)
                self.walk.groupings.append(Grouping(command.name, keys, terms))
            case Bin():
                self._cut(command)
            case Transaction():
                self._follow_transaction(command, rows)
            case Rex() if command.mode is None:
                for group in find_groups(command.pattern):
                    before = rows(group) if group in rows.known else NOTHING
                    args = (rows(command.field), Literal(command.pattern), Literal(group))
                    rows.known[group] = Call("coalesce", (Call("rex", args), before))
            case Lookup():
                self._look_up(command, rows)
            case Fillnull():
                for name in command.fields:
                    filled = (rows(name), Literal(command.value))
                    rows.known[name] = Call("coalesce", filled)
            case Join():
                self._join(command, rows)
            case Xmlkv():
                _read_elements(command, rows)
            case Mvexpand():
                rows.known[command.field] = Call("mvindex", (rows(command.field), Literal(0)))
            case Iplocation():
                for name in _PLACES:
                    place = Call("iplocation", (rows(command.field), Literal(name)))
                    rows.known[f"{command.prefix or ''}{name}"] = place
            case Foreach() if command.mode == "multifield":
                return self._repeat(command, rows)
            case Spath():
                self._read_document(command, rows)
            case _ if command.name in _PASSED:
                pass
            case _:
                self.walk.unknown.append(command.name)
        return rows

    def _filter(self, expr: SearchExpr, rows: _Rows, *, cidr: bool = True) -> None:
        for part in _split_search(self._without_subsearches(expr, rows)):
            self._ask(of_search(part, rows, cidr=cidr), search_text(part))

    def _without_subsearches(self, expr: SearchExpr, rows: _Rows) -> SearchExpr:
        """The expression with the rows of tables in the places of subsearches over these.

        A subsearch over events is a stream of its own, whose fields are those of the rows.
        """
        match expr:
            case And(operands):
                kept: list[SearchExpr] = []
                for operand in operands:
                    match operand:
                        case SubsearchTerm(inner) if not reads_table(inner):
                            self._meet(inner, rows)
                        case _:
                            kept.append(self._without_subsearches(operand, rows))
                return And(tuple(kept))
            case Or(operands):
                return Or(tuple(self._without_subsearches(o, rows) for o in operands))
            case Not(operand):
                return Not(self._without_subsearches(operand, rows))
            case SubsearchTerm(inner) if reads_table(inner):
                return table_conditions(inner, self.lookups)
            case SubsearchTerm(inner):
                self._meet(inner, rows)
                return And(())
        return expr

    def _meet(self, inner: Pipeline, rows: _Rows) -> None:
        """Rows are those that have the fields of some row of a subsearch."""
        other = self.run(inner)
        last = inner.commands[-1]
        names = getattr(last, "fields", ())
        if last.name not in ("table", "fields") or not names:
            raise UnknownValueError("a subsearch that does not say its fields")
        for name in names:
            self._ask_same(rows(name), other(name))

    def _ask(self, condition: Condition, text: str) -> None:
        for part in conjuncts(condition):
            asked = Asked(part, text, optional=self.optional, role=self.role)
            self.walk.asked.append(asked)

    def _cut(self, command: Bin) -> None:
        width = command.ranges.span_width
        if command.field == "_time" and width is not None:
            self.bucket = width.size * _SECONDS.get(width.unit or "s", 1.0)

    def _follow_transaction(self, command: Transaction, rows: _Rows) -> None:
        """Two events, the first as it starts, the last as it ends."""
        for boundary in (command.startswith, command.endswith):
            if boundary is not None and boundary.search is not None:
                self.walk.sequence.append(of_search(boundary.search, rows))
            elif boundary is not None and boundary.expr is not None:
                self.walk.sequence.append(Holds(substitute(boundary.expr, rows)))
            else:
                self.walk.sequence.append(All(()))
        keys = tuple((name, rows(name)) for name in command.fields)
        self.walk.present += [Present(value) for _, value in keys]
        self.walk.groupings.append(Grouping("transaction", keys, ()))
        rows.known["duration"] = Literal(1)
        rows.known["eventcount"] = Literal(2)

    def _look_up(self, command: Lookup, rows: _Rows) -> None:
        keys = [(inner, rows(outer)) for inner, outer in command.inputs]
        if self.lookups.is_collection(command.table):
            self._collect(command, keys, rows)
            return
        flat = [part for inner, value in keys for part in (Literal(inner), value)]
        for inner, outer in command.outputs:
            value: EvalExpr = Call("lookup", (Literal(command.table), Literal(inner), *flat))
            if command.new:
                value = Call("coalesce", (rows(outer), value))
            rows.known[outer] = value
        if command.table == "ut_shannon_lookup":
            rows.known["ut_shannon"] = Call("ut_shannon", (keys[0][1],))
        elif not command.outputs:
            self.walk.unknown.append("lookup without outputs")

    def _collect(self, command: Lookup, keys: Sequence[tuple[str, EvalExpr]], rows: _Rows) -> None:
        """A collection has the rows that other searches gave it: those that are needed here."""
        outputs: list[tuple[str, FieldRef]] = []
        for inner, outer in command.outputs:
            value = FieldRef(of_role(self.role, of_table(command.table, inner)))
            outputs.append((inner, value))
            before = rows(outer)
            keeps = command.new and before != NOTHING
            rows.known[outer] = Call("coalesce", (before, value)) if keeps else value
        self.walk.collected.append(Collected(command.table, tuple(keys), tuple(outputs)))

    def _join(self, command: Join, rows: _Rows) -> None:
        before = self.optional
        self.optional = before or command.kind == "left"
        try:
            other = self.run(command.subsearch)
        finally:
            self.optional = before
        for name in command.fields:
            self.walk.present.append(Present(rows(name)))
            self._ask_same(rows(name), other(name))
        for name, value in other.known.items():
            if name not in command.fields:
                rows.known[name] = value

    def _repeat(self, command: Foreach, rows: _Rows) -> _Rows:
        """The template for each field that rows are known to have."""
        for wanted in command.fields:
            names = [wanted]
            if "*" in wanted:
                held = {*rows.known, *(n for k in self.walk.kinds.values() for n in k.wire.parts)}
                names = [n for n in sorted(held) if _between(n, wanted) is not None]
            for name in names:
                part = _between(name, wanted) or name
                text = command.template.replace(command.fieldstr, name)
                for inner in self.parse(f"| {text.replace(command.matchstr, part)}").commands:
                    rows = self._step(inner, rows)
        return rows

    def _read_document(self, command: Spath, rows: _Rows) -> None:
        """A field is what is at a path of a document; without a path, fields that events are not
        known to have are. The fields of a JSON event are those of its text."""
        if command.path is not None:
            path = command.path.strip()
            value = rows(path) if command.input == "_raw" else _at_path(rows(command.input), path)
            rows.known[command.output or path] = value
            return
        if command.input == "_raw":
            return
        document, base = rows(command.input), rows.base

        def read(name: str) -> EvalExpr:
            value = base(name)
            if name in _NO_ELEMENTS or any(kind.has(name) for kind in self.walk.kinds.values()):
                return value
            return Call("coalesce", (_at_path(document, name), value))

        rows.base = read

    def _ask_same(self, left: EvalExpr, right: EvalExpr) -> None:
        self.walk.present.append(Holds(Binary("=", left, right)))


def _split_search(expr: SearchExpr) -> Iterator[SearchExpr]:
    """The parts of a search expression that must hold together."""
    match expr:
        case And(operands):
            for operand in operands:
                yield from _split_search(operand)
        case Not(Or(operands)):
            for operand in operands:
                yield from _split_search(Not(operand))
        case _:
            yield expr


def _split_and(expr: EvalExpr) -> Iterator[EvalExpr]:
    match expr:
        case Binary("AND", left, right):
            yield from _split_and(left)
            yield from _split_and(right)
        case _:
            yield expr


def _of_model(base: Callable[[str], EvalExpr], name: str) -> EvalExpr:
    """A field of ``tstats`` over a data model: one without its dataset's name is none, unless all
    events have it."""
    return base(name) if "." in name or name in _OF_ALL else NOTHING


_OF_ALL = frozenset({"_time", "host", "source", "sourcetype", "index", "tag", "eventtype"})


def _plain(name: str, stream: Stream) -> str:
    """A field of a data model without the names of its datasets."""
    if stream.raw or "." not in name:
        return name
    return name.rpartition(".")[2]


def _read_elements(command: Xmlkv, rows: _Rows) -> None:
    """Fields that rows do not have otherwise are the elements of a field's XML."""
    document, base = rows(command.field), rows.base

    def read(name: str) -> EvalExpr:
        value = base(name)
        if not isinstance(value, FieldRef) or name in _NO_ELEMENTS:
            return value
        pattern = f"<{re.escape(name)}>(?<element>[^<>]*)</{re.escape(name)}>"
        args = (document, Literal(pattern), Literal("element"))
        return Call("coalesce", (value, Call("rex", args)))

    rows.base = read


_NO_ELEMENTS = frozenset({"_time", "_raw", "host", "Computer", "EventID", "UserData_Xml"})


def _at_path(document: EvalExpr, path: str) -> EvalExpr:
    return Call("spath", (document, Literal(path)))


def _without_node(expr: SearchExpr) -> SearchExpr:
    if isinstance(expr, And):
        return And(tuple(_without_node(o) for o in expr.operands))
    if isinstance(expr, Compare) and expr.field_name == "nodename":
        return And(())
    return expr


def _rename(command: Rename, rows: _Rows) -> None:
    for old, new in command.pairs:
        if "*" not in old:
            rows.known[new] = rows(old)
            rows.known[old] = NOTHING
            continue
        for name in list(rows.known):
            middle = _between(name, old)
            if middle is not None:
                rows.known[new.replace("*", middle)] = rows.known.pop(name)
        _rename_base(old, new, rows)


def _rename_base(old: str, new: str, rows: _Rows) -> None:
    """Fields that events may have under the old names, too."""
    base = rows.base

    def read(name: str) -> EvalExpr:
        middle = _between(name, new)
        if middle is None or name.startswith("_") or name in _LABELS:
            return base(name)
        renamed = base(old.replace("*", middle))
        return renamed if renamed == NOTHING else Call("coalesce", (renamed, base(name)))

    rows.base = read


_LABELS = frozenset({"source", "sourcetype", "index", "host"})


def _between(name: str, pattern: str) -> str | None:
    """What stands in a name for the ``*`` of a pattern; None if the name is not of it."""
    before, _, after = pattern.partition("*")
    if len(name) <= len(before) + len(after):
        return None
    if not (name.startswith(before) and name.endswith(after)):
        return None
    return name[len(before) : len(name) - len(after)]
