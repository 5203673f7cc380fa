"""``lookup``: adds the fields of a lookup table (Search Reference: lookup)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration
from escudo.spl.operators.computed_lookups import COMPUTED, ComputedLookup
from escudo.spl.operators.lookup_tables import find_lookup, take_lookup
from escudo.spl.operators.null_filling import fill_from
from escudo.spl.operators.row_matching import add_lookup_fields
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.values import null_value
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.options import boolean_option, format_options
from escudo.spl.syntax.source import suggest
from escudo.spl.syntax.unparse import word


@dataclass(frozen=True)
class Lookup(Command):
    """``lookup [options] table in [AS f], ... [OUTPUT|OUTPUTNEW out [AS f], ...]``.

    Rows whose fields ``f`` match the inputs ``in`` of the table get its outputs ``out``; without
    outputs, all fields of the table that are no inputs. OUTPUTNEW keeps the values that a row has.
    Several matches give multivalues, up to ``max_matches`` of the lookup's definition, which also
    says whether case counts and which inputs are wildcards or networks.

    Lookups of URL Toolbox are computed here: ``ut_shannon_lookup`` (``word`` to ``ut_shannon``,
    the entropy of its characters in bits), ``ut_levenshtein_lookup`` (``word1``, ``word2``),
    ``ut_parse_simple_lookup`` and ``ut_parse_extended_lookup`` (``url``, ``list``: the parts of a
    URL, its domain and public suffix).
    """

    name: ClassVar[str] = "lookup"
    declares: ClassVar[Declaration] = Declaration(row_by_row=True)

    table: str
    inputs: tuple[tuple[str, str], ...]
    """Pairs of a field of the lookup and a field of the rows."""
    outputs: tuple[tuple[str, str], ...] = ()
    """Pairs as in ``inputs``."""
    new: bool = False
    """Whether it is OUTPUTNEW."""
    local: bool = boolean_option(
        False, "Whether it runs only where the search started; no effect here."
    )
    update: bool = boolean_option(
        False, "Whether a real-time search sees changes of the file; no effect here."
    )

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        table = args.name("the name of a lookup")
        args.read_options(cls, into=options)

        def read_pair() -> tuple[str, str]:
            inner = args.name()
            return inner, (args.name("a field after AS") if args.accept_word("as") else inner)

        inputs = args.separated(read_pair, "output", "outputnew")
        if not inputs:
            args.expected("a field to look up")
        keyword = args.accept_word("output", "outputnew")
        outputs = args.separated(read_pair) if keyword else ()
        if keyword and not outputs:
            args.expected("a field after OUTPUT")
        return cls(
            table=table,
            inputs=inputs,
            outputs=outputs,
            new=keyword == "outputnew",
            **options.values(cls),
            span=args.span(),
        )

    def format(self) -> str:
        keyword = " OUTPUTNEW " if self.new else " OUTPUT "
        outputs = keyword + _format_pairs(self.outputs) if self.outputs else ""
        inputs = _format_pairs(self.inputs)
        return f"lookup{format_options(self)} {word(self.table)} {inputs}{outputs}"

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        computed = COMPUTED.get(self.table)
        if computed is not None and binder.knowledge.lookup(self.table) is None:
            return self._compute(relation, computed, binder)
        definition = find_lookup(self.table, binder, self.span)
        inputs = dict(self.inputs)
        uses = (*inputs, *(inner for inner, _ in self.outputs))
        table = take_lookup(definition, binder, self.span, uses=uses)
        known = set(table.column_names) | set(definition.fields)
        self._check_fields(uses, known)
        outputs = self.outputs or tuple((n, n) for n in table.column_names if n not in inputs)
        return add_lookup_fields(
            relation,
            definition,
            table,
            inputs=self.inputs,
            outputs=outputs,
            new=self.new,
            binder=binder,
        )

    def _check_fields(self, uses: Iterable[str], known: Collection[str]) -> None:
        for name in uses:
            if name not in known:
                raise EscudoError(
                    "SPL315",
                    f"lookup '{self.table}' has no field '{name}'",
                    span=self.span,
                    hint=suggest(name, known),
                )

    def _compute(self, relation: Relation, computed: ComputedLookup, binder: Binder) -> Relation:
        """The rows with what a script of another app would add to them."""
        self._check_fields((n for n, _ in self.inputs), computed.inputs)
        self._check_fields((n for n, _ in self.outputs), computed.fields)
        given = {inner: relation.field(outer) or null_value() for inner, outer in self.inputs}
        added = []
        for inner, outer in self.outputs or tuple((n, n) for n in computed.outputs):
            value = given.get(inner) or computed.compute(inner, given)
            before = relation.field(outer) if self.new else None
            added.append((outer, fill_from(before, value) if before is not None else value))
        return relation.extend(added, binder.names)


def _format_pairs(pairs: tuple[tuple[str, str], ...]) -> str:
    reserved = ("as", "output", "outputnew")
    return ", ".join(
        word(inner, *reserved) + ("" if inner == outer else f" AS {word(outer, *reserved)}")
        for inner, outer in pairs
    )
