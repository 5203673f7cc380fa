"""``rename``: gives fields other names (Search Reference: rename)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.spl.binding.binder import Binder, Command, rows
from escudo.spl.binding.declaration import Declaration, Reads, any_in_common
from escudo.spl.relation.relation import Relation
from escudo.spl.relation.values import Bound
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.unparse import word
from escudo.spl.syntax.wildcards import renamed, select_names


@dataclass(frozen=True)
class Rename(Command):
    """``rename old AS new, ...``.

    A field of the new name is replaced. With ``*`` in both names, each ``*`` of the new one takes
    what the ``*`` of the old one matched.
    """

    name: ClassVar[str] = "rename"
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED, row_by_row=True)

    pairs: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, args: Args) -> Self:
        def read_pair() -> tuple[str, str]:
            old = args.name()
            args.expect_word("as", "to")
            return old, args.name("the new name")

        pairs = args.separated(read_pair)
        if not pairs:
            args.missing("'field AS name'")
        return cls(pairs=pairs, span=args.span())

    def format(self) -> str:
        return "rename " + ", ".join(f"{word(old, 'as')} AS {word(new)}" for old, new in self.pairs)

    def split_by_batches(self, partial: frozenset[str]) -> frozenset[str] | None:
        """A field is of a batch under its new name, too."""
        for old, new in self.pairs:
            moved = {name for name in partial if any_in_common([old], [name])}
            kept = {name for name in partial - moved if not any_in_common([new], [name])}
            partial = frozenset({*kept, *(renamed(old, new, name) or new for name in moved)})
        return partial

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        relation = rows(source, self)
        for old, new in self.pairs:
            if old.count("*") != new.count("*"):
                raise EscudoError(
                    "SPL104",
                    f"'{old}' and '{new}' have different numbers of wildcards",
                    span=self.span,
                    hint="each * of the new name takes what the * in the old one matched",
                )
            names = select_names([old], binder.matching(relation, [old]))
            moved = {name: renamed(old, new, name) or new for name in names}
            before = {name: relation.bound(name) for name in moved}
            relation = relation.with_fields(_move_fields(relation.fields, moved, before))
        return relation


def _move_fields(
    fields: Mapping[str, Bound | None],
    moved: Mapping[str, str],
    before: Mapping[str, Bound | None],
) -> dict[str, Bound | None]:
    """Fields under their new names, at the places of the old ones."""
    targets = set(moved.values())
    out: dict[str, Bound | None] = {}
    for name, bound in fields.items():
        if name in moved:
            out[moved[name]] = before[name]
        elif name not in targets:
            out[name] = bound
    out.update({target: before[name] for name, target in moved.items()})
    out.update({name: None for name in moved if name not in targets})
    return out
