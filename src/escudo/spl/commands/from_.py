"""``from``: the rows of a dataset (Search Reference: from)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.spl.binding import dataset
from escudo.spl.binding.binder import Binder, Command
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.binding.saved_search import saved_search
from escudo.spl.operators import lookup_tables
from escudo.spl.operators.event_text import read_with_text
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.source import suggest
from escudo.spl.syntax.unparse import quoted


@dataclass(frozen=True)
class From(Command):
    """``from kind:object`` or ``from kind object``.

    ``kind`` is ``datamodel`` (object ``Model`` or ``Model.Dataset``), ``lookup``, ``inputlookup``
    or ``savedsearch``. Rows of a data model have the text of their events (``_raw``) where a
    command behind names it.

    Refused: the kinds ``search``, ``metadata`` and ``sid``; rows before the command.
    """

    name: ClassVar[str] = "from"
    generating: ClassVar[bool] = True
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    kind: str
    object: str

    @classmethod
    def parse(cls, args: Args) -> Self:
        token = args.peek()
        first = args.name("a kind of dataset such as datamodel")
        kind, colon, inner = first.partition(":")
        lower = kind.lower()
        if lower not in KINDS:
            args.fail(f"'{kind}' is no kind of dataset", token, hint=suggest(lower, KINDS))
        if not colon and args.accept("="):
            colon = "="
        if not inner:
            inner = args.name("the name of the dataset")
        while args.peek().text.startswith(".") or inner.endswith("."):
            inner += args.name("the rest of the name")
        return cls(kind=lower, object=inner, span=args.span())

    def format(self) -> str:
        return f"from {self.kind}:{quoted(self.object)}"

    def split_by_batches(self, partial: frozenset[str]) -> frozenset[str] | None:
        """Events as they are."""
        return partial if self.kind == "datamodel" else None

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        if source is not None:
            raise EscudoError("SPL311", "'from' must be the first command", span=self.span)
        match self.kind:
            case "datamodel":
                model, _, name = self.object.partition(".")
                found = dataset.find(model, name or None, binder, self.span)
                return read_with_text(found, binder)
            case "lookup" | "inputlookup":
                return lookup_tables.open_lookup(self.object, binder, self.span)
            case "savedsearch":
                return saved_search(self.object, binder, self.span)
            case _:
                raise EscudoError("SPL300", f"'from {self.kind}:' is not supported", span=self.span)


KINDS = frozenset(
    {"datamodel", "lookup", "inputlookup", "savedsearch", "search", "metadata", "sid"}
)
