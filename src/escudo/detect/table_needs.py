"""A table, needs -> how many of its rows meet each; the screening asks.

A large table is asked as seldom as can be: first the distinct values of its narrow columns, then
some of its rows, then those rows alone that have the values that are left, or a rare text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from escudo.core.catalog import CatalogView
from escudo.core.schema import Column, FieldType, TableSchema
from escudo.core.timerange import TimeRange
from escudo.engines.execute import Engine
from escudo.spl import (
    Scan,
    alias,
    any_holds,
    case_when,
    column,
    group_rows,
    literal_integer,
    literal_text,
    select,
    table,
    within_range,
)

AT_ONCE = 200
"""Conditions that one query asks for: more make it slow to plan, fewer read the table too often."""

LITTLE_BYTES = 2 << 20
"""Bytes of the files of a table whose texts are looked through here, before it is asked anything:
planning what is asked takes longer than going through its rows (2026-12-01: a millisecond a
condition)."""

FEWEST_SIGNED = 16
"""Needs with signs for which it may pay to look for the signs first."""

ONE_OF = 61
"""Of so many rows of a table one is asked how often there are signs, of more in a larger table."""

MOST_TRIED = 40_000
"""Rows that are asked so, about."""

FEWEST_FILES = 8
"""Files of a table whose rows are asked so; of a table with more, some."""

FEWEST_TRIED = 2_000
"""Rows that have to be asked so: a smaller table is asked of all needs at once."""

MANY_TRIED, MANY = 100, 60_000
"""Rows of those that are asked so, and of the whole table by them, that meet a need that is not
asked of the others then."""

MOST_SIGNED = 0.003
"""The share of rows with a sign that is worth looking for."""

MOST_TUPLES = 200_000
"""Distinct values of the narrow columns that are worth looking at before the table itself."""

MOST_NARROW = 0.1
"""The share of rows that may have the values of narrow columns that a need asks for, for it to be
asked of such rows alone."""

MOST_RESTRICTED = 0.5
"""The share of rows that values of a narrow column may have for them to be asked alone."""

MOST_VALUES = 1_000
"""Values of a narrow column whose rows are asked alone."""

_TIME, _EVENT_ID = "_time", "_event_id"
_ROWS = "rows_of_tuple"
_ANY = "TRUE"


Columns: TypeAlias = tuple[tuple[str, FieldType | None], ...]


@dataclass(frozen=True)
class Sign:
    """What a row has: a text (in the engine's SQL) with a part, or one that is the ``whole`` of
    it; ``folded``: in lower case. The text is ``stored`` as a column of that name, or one field of
    the rest."""

    text: str
    part: str
    whole: bool
    folded: bool
    stored: str | None

    @classmethod
    def store(cls, sign: exp.Expression, engine: Engine) -> Sign | None:
        """One of ``spl.list_signs``, for an engine; None where its text is worked out from
        others."""
        folded = isinstance(sign.this, exp.Lower)
        text = (sign.this.this if folded else sign.this).unnest()
        if not isinstance(text, exp.Column | exp.Bracket):
            return None
        return cls(
            engine.fragment(text),
            sign.expression.name,
            whole=isinstance(sign, exp.EQ),
            folded=folded,
            stored=text.name if isinstance(text, exp.Column) else None,
        )

    @property
    def place(self) -> exp.Expression:
        """The text that has it."""
        text = exp.var(self.text)
        return exp.Lower(this=text) if self.folded else text

    def ask(self, *, lowered: bool = False) -> exp.Expression:
        """The condition that a row has it; ``lowered``: of rows with columns in lower case."""
        asked = exp.EQ if self.whole else exp.Contains
        in_column = lowered and self.folded and self.stored is not None
        place = column(name_lower(self.stored or "")) if in_column else self.place
        return asked(this=place, expression=literal_text(self.part))


def name_lower(name: str) -> str:
    """What a column in lower case is called."""
    return f"{name}$lower"


Choice: TypeAlias = tuple[Sign, ...]
"""Signs of which a row has one."""


@dataclass(frozen=True)
class TableNeed:
    """Rows of a table that a search needs: those that meet a condition, in the engine's SQL.

    ``least``: so many, with those of the other needs of the group.
    ``windowed``: in the window of the hunt; else at any time. ``narrow`` is what the condition asks
    of narrow columns alone. ``columns`` and ``narrow_columns`` are what they read: (identifier,
    type), the type None for the rest map. ``counted`` is the condition of rows that have columns
    in lower case, too, under ``name_lower``: those of ``lowered``. A row that meets it has a sign
    of each of ``choices``.
    """

    table: str
    windowed: bool
    condition: str
    columns: Columns
    narrow: str
    narrow_columns: Columns
    counted: str
    lowered: tuple[str, ...] = ()
    least: int = 1
    choices: tuple[Choice, ...] = ()


@dataclass
class _Questions:
    """What is asked of one table: how many rows meet each of some conditions, and the columns that
    they read, as they are and in lower case."""

    asked: dict[str, int] = field(default_factory=dict)
    columns: dict[str, FieldType | None] = field(default_factory=dict)
    lowered: dict[str, None] = field(default_factory=dict)

    def add(self, condition: str, columns: Columns) -> None:
        self.asked[condition] = 0
        self.columns.update(columns)

    def add_need(self, need: TableNeed) -> None:
        self.add(need.counted, need.columns)
        self.lowered.update(dict.fromkeys(need.lowered))

    def lower(self, rows: exp.Select) -> exp.Subquery:
        """The rows with the columns in lower case: each is made once, not for each condition."""
        lower = [alias(exp.Lower(this=column(n)), name_lower(n)) for n in self.lowered]
        return select(lower, rows.subquery("stored"), star=True).subquery("asked")


@dataclass(frozen=True)
class _Tuples:
    """The distinct values of the narrow columns of a table, each with how many rows have them
    (``_ROWS``); ``asked``: how many rows meet each condition on them."""

    values: pa.Table
    asked: Mapping[str, int]

    @cached_property
    def rows(self) -> int:
        """The rows of the table."""
        return int(pc.sum(self.values[_ROWS]).as_py() or 0)


@dataclass(frozen=True)
class _Tried:
    """How many rows met each condition of those that were asked, one of so many."""

    asked: Mapping[str, int]
    one_of: int


@dataclass(frozen=True)
class _SomeFiles(CatalogView):
    """A catalog in which a table has one of so many of its files."""

    step: int

    def files(self, table: str, within: TimeRange) -> tuple[str, ...]:
        return self.catalog.files(table, within)[:: self.step]


@dataclass(frozen=True)
class _Texts:
    """All texts of a column of a little table."""

    values: frozenset[str]

    @cached_property
    def joined(self) -> str:
        return "\n".join(self.values)

    def have(self, sign: Sign) -> bool:
        """Whether one has a sign; also where only two together do."""
        return sign.part in (self.values if sign.whole else self.joined)


@dataclass(frozen=True)
class Asking:
    """Asks a table in a window how many rows meet needs."""

    name: str
    window: TimeRange
    engine: Engine
    is_little: bool

    def count(self, needs: Sequence[TableNeed]) -> dict[TableNeed, int]:
        """How many rows meet each need; of one that very many meet, about how many. A need that is
        left out no row meets."""
        if self.is_little and self.engine.seeks_many:
            return self._ask(self._drop_unsigned(needs))
        tuples = self._ask_tuples(needs)
        if tuples is None:
            return self._ask_large(needs, ONE_OF)
        met = {n: tuples.asked[n.narrow] for n in needs if tuples.asked[n.narrow]}
        left = [need for need in met if need.condition != need.narrow]
        if tuples.rows < FEWEST_TRIED * ONE_OF or not self.engine.seeks_many:
            return met | self._ask(left)
        one_of = max(ONE_OF, tuples.rows // MOST_TRIED)
        narrow, where = self._restrict(tuples, left)
        wide = [need for need in left if need not in narrow]
        return met | self._ask(list(narrow), where) | self._ask_large(wide, one_of)

    def _drop_unsigned(self, needs: Sequence[TableNeed]) -> list[TableNeed]:
        """The needs that rows may meet, by the signs that there are in a little table: first those
        in columns, which leave few fields to be looked for."""
        for stored in (True, False):
            texts = self._read_texts(needs, stored)

            def is_there(sign: Sign, texts: Mapping[tuple[str, bool], _Texts] = texts) -> bool:
                known = texts.get((sign.text, sign.folded))
                return known is None or known.have(sign)

            needs = [n for n in needs if all(any(map(is_there, c)) for c in n.choices)]
        return list(needs)

    def _read_texts(
        self, needs: Sequence[TableNeed], stored: bool
    ) -> dict[tuple[str, bool], _Texts]:
        """The texts that signs are looked for in; without those that are none, but lists."""
        signs = chain.from_iterable(chain.from_iterable(need.choices for need in needs))
        wanted = {(s.text, s.folded): s.place for s in signs if bool(s.stored) is stored}
        if not wanted:
            return {}
        lists = (exp.ArrayAgg(this=exp.Distinct(expressions=[p])) for p in wanted.values())
        items = [alias(values, f"t{i}") for i, values in enumerate(lists)]
        scan = make_scan(self.name, self.window, _columns_of(needs))
        found = self.engine.run(inside(select(items, table(scan.name)), self.window), [scan], {})
        out: dict[tuple[str, bool], _Texts] = {}
        for text, of in zip(wanted, found.columns, strict=True):
            if pa.types.is_list(of.type) and pa.types.is_string(of.type.value_type):
                values = of[0].as_py() or ()
                out[text] = _Texts(frozenset(v for v in values if v is not None))
        return out

    def _ask_tuples(self, needs: Sequence[TableNeed]) -> _Tuples | None:
        """What the narrow columns tell; None where they have too many values, or there are none."""
        questions = _Questions()
        for need in needs:
            questions.add(need.narrow, need.narrow_columns)
        if not questions.columns:
            return None
        scan = make_scan(self.name, self.window, questions.columns)
        held = [column(n) for n in questions.columns]
        counted = [*held, alias(exp.Count(this=exp.Star()), _ROWS)]
        query = group_rows(inside(select(counted, table(scan.name)), self.window), held)
        values = self.engine.run(query.limit(MOST_TUPLES + 1), [scan], {})
        if values.num_rows > MOST_TUPLES:
            return None
        of = {"tuples": values}
        _answer(questions, table("tuples"), self.engine, [], of, weight=column(_ROWS))
        return _Tuples(values, questions.asked)

    def _restrict(
        self, tuples: _Tuples, needs: Sequence[TableNeed]
    ) -> tuple[Set[TableNeed], exp.Expression | None]:
        """Needs that few rows may meet, by their narrow columns, and the values of one of these
        columns that such rows have, as a condition; none where they are those of most rows."""
        most = tuples.rows * MOST_NARROW
        narrow = dict.fromkeys(need for need in needs if tuples.asked[need.narrow] <= most)
        if not narrow:
            return frozenset(), None
        met = any_holds(exp.paren(exp.var(sql)) for sql in dict.fromkeys(n.narrow for n in narrow))
        asked = select([], table("tuples"), star=True).where(met)
        wanted = self.engine.run(asked, [], {"tuples": tuples.values})
        best: tuple[int, exp.Expression] | None = None
        for name in dict(chain.from_iterable(need.narrow_columns for need in narrow)):
            if not pa.types.is_string(wanted[name].type):
                continue
            values = pc.unique(wanted[name])
            held = tuples.values.filter(pc.is_in(tuples.values[name], value_set=values))
            rows = int(pc.sum(held[_ROWS]).as_py() or 0)
            if len(values) <= MOST_VALUES and (best is None or rows < best[0]):
                best = rows, _is_one_of(column(name), values.to_pylist())
        if best is None or best[0] > tuples.rows * MOST_RESTRICTED:
            return frozenset(), None
        return narrow.keys(), best[1]

    def _ask_large(self, needs: Sequence[TableNeed], one_of: int) -> dict[TableNeed, int]:
        """How many rows of a large table meet each need. Those that few rows have the signs of are
        asked of these rows."""
        if sum(bool(need.choices) for need in needs) < FEWEST_SIGNED:
            return self._ask(needs)
        tried = self._try_some(needs, one_of)
        if tried.asked[_ANY] < FEWEST_TRIED:
            return self._ask(needs)
        found = {need: tried.asked[need.counted] for need in needs}
        least = max(MANY_TRIED, MANY / tried.one_of)
        met = {need: rows * tried.one_of for need, rows in found.items() if rows >= least}
        signed = choose_signs([n for n in needs if n not in met], tried, self.engine)
        others = [need for need in needs if need not in met and need not in signed]
        sieve = exp.paren(has_any(chain.from_iterable(signed.values()), self.engine))
        return met | self._ask(list(signed), sieve) | self._ask(others)

    def _try_some(self, needs: Sequence[TableNeed], one_of: int) -> _Tried:
        """How many of some rows meet each condition, and have each sign; in all under ``_ANY``.
        They are rows of some files where there are many: the columns of a file are read whole."""
        files = self.engine.catalog.files(self.name, self.window)
        step = max(1, min(one_of // 8, len(files) // FEWEST_FILES))
        engine = self.engine.over(_SomeFiles(self.engine.catalog, step))
        one_of //= step
        questions = _Questions(dict.fromkeys([_ANY], 0))
        for need in needs:
            questions.add_need(need)
            for sign in chain.from_iterable(need.choices):
                questions.add(engine.fragment(sign.ask(lowered=True)), ())
                if sign.folded and sign.stored is not None:
                    questions.lowered[sign.stored] = None
        questions.columns[_EVENT_ID] = FieldType.INTEGER
        scan = make_scan(self.name, self.window, questions.columns)
        drawn = exp.Mod(this=column(_EVENT_ID), expression=literal_integer(one_of))
        some = inside(select([], table(scan.name), star=True), self.window).where(
            exp.EQ(this=drawn, expression=literal_integer(0))
        )
        _answer(questions, questions.lower(some), engine, [scan], {})
        return _Tried(questions.asked, step * one_of)

    def _ask(
        self, needs: Sequence[TableNeed], where: exp.Expression | None = None
    ) -> dict[TableNeed, int]:
        """How many rows, of those that meet a condition, meet each need."""
        questions = _Questions()
        for need in needs:
            questions.add_need(need)
        scan = make_scan(self.name, self.window, questions.columns)
        source = inside(select([], table(scan.name), star=True), self.window)
        if where is not None:
            source = source.where(where)
        _answer(questions, questions.lower(source), self.engine, [scan], {})
        return {need: questions.asked[need.counted] for need in needs}


def choose_signs(
    needs: Sequence[TableNeed], tried: _Tried, engine: Engine
) -> dict[TableNeed, Choice]:
    """The choice of signs that fewest rows have, for each need of which few have one."""

    def count_rows(choice: Choice) -> int:
        return max(tried.asked[engine.fragment(sign.ask(lowered=True))] for sign in choice)

    most = tried.asked[_ANY] * MOST_SIGNED
    best = {need: min(need.choices, key=count_rows) for need in needs if need.choices}
    return {need: choice for need, choice in best.items() if count_rows(choice) <= most}


def _columns_of(needs: Iterable[TableNeed]) -> dict[str, FieldType | None]:
    return dict(chain.from_iterable(need.columns for need in needs))


def has_any(signs: Iterable[Sign], engine: Engine) -> exp.Expression:
    """A condition that a row meets that has one of some signs; few others do."""
    values: dict[str, list[str]] = {}
    sought: dict[str, tuple[list[str], list[str]]] = {}
    asked: list[exp.Expression] = []
    for sign in dict.fromkeys(signs):
        if sign.whole and not sign.folded:
            values.setdefault(sign.text, []).append(sign.part)
        elif sign.part.isascii():
            sought.setdefault(sign.text, ([], []))[sign.whole].append(sign.part)
        else:
            asked.append(sign.ask())
    held = (_is_one_of(exp.var(text), some) for text, some in values.items())
    found = (engine.seek(exp.var(text), *some) for text, some in sought.items())
    return any_holds([*held, *found, *asked])


def _is_one_of(text: exp.Expression, values: Iterable[str | None]) -> exp.Expression:
    """The condition that a text is one of some values, of which None is that there is none."""
    held = list(values)
    known = [literal_text(value) for value in held if value is not None]
    asked: list[exp.Expression] = [exp.In(this=text, expressions=known)] if known else []
    if None in held:
        asked.append(exp.Is(this=text.copy(), expression=exp.null()))
    return exp.paren(any_holds(asked))


def make_scan(name: str, window: TimeRange, stored: Mapping[str, FieldType | None]) -> Scan:
    """A read of some stored columns of a table, and of the time; the type None: the rest map."""
    kinds = {_TIME: FieldType.TIME, **stored}
    columns = {n: Column(n, k, physical=n) for n, k in kinds.items() if k is not None}
    rest = next((n for n, kind in kinds.items() if kind is None), None)
    return Scan("screened", TableSchema(name, tuple(columns.values()), rest), window, columns)


def inside(query: exp.Select, window: TimeRange) -> exp.Select:
    """The rows of a query in a window."""
    condition = within_range(column(_TIME), window)
    return query if condition is None else query.where(condition)


def _answer(
    questions: _Questions,
    source: exp.Expression,
    engine: Engine,
    scans: Sequence[Scan],
    tables: Mapping[str, pa.Table],
    weight: exp.Expression | None = None,
) -> None:
    """Asks rows, many questions in a query; the answers go where the questions stand. ``weight``:
    how many rows each stands for."""

    def count(condition: str) -> exp.Expression:
        if weight is None:
            return exp.CountIf(this=exp.var(condition))
        counted = case_when((exp.var(condition), weight), otherwise=literal_integer(0))
        return exp.Sum(this=counted)

    asked = list(questions.asked)
    for at in range(0, len(asked), AT_ONCE):
        some = asked[at : at + AT_ONCE]
        items = [alias(count(c), f"n{i}") for i, c in enumerate(some)]
        (answers,) = engine.run(select(items, source), scans, tables).to_pylist()
        questions.asked.update((c, int(answers[f"n{i}"] or 0)) for i, c in enumerate(some))
