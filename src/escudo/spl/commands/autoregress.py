"""``autoregress``: earlier values of a field beside it (Search Reference: autoregress)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from sqlglot import exp

from escudo.spl.commands.accum import Accum
from escudo.spl.operators.windows import over
from escudo.spl.relation.sql import literal_integer
from escudo.spl.relation.steps import Order
from escudo.spl.relation.values import Typed
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.options import OptionType, typed_option

Distances = tuple[int, int]


def _parse_distances(text: str) -> Distances:
    first, dash, last = text.partition("-")
    if not first.isdigit() or (dash and not last.isdigit()):
        raise ValueError
    return int(first), int(last if dash else first)


def _write_distances(distances: Distances) -> str:
    first, last = distances
    return f"{first}" if first == last else f"{first}-{last}"


_DISTANCES = OptionType[Distances](
    "a number or a range such as 1-3", _parse_distances, _write_distances
)


@dataclass(frozen=True)
class Autoregress(Accum):
    """``autoregress field [AS name] [p=n | p=first-last]``.

    The field's value some rows before, as ``field_p1`` and so on, or under the name given.

    Refused: AS together with a range.
    """

    name: ClassVar[str] = "autoregress"

    p: Distances = typed_option(
        _DISTANCES, (1, 1), "How many rows before the values stand; a range gives a field for each."
    )

    @classmethod
    def parse(cls, args: Args) -> Self:
        command = super().parse(args)
        first, last = command.p
        if command.alias is not None and first != last:
            args.missing("no AS together with a range of p")
        return command

    def compute_fields(self, value: Typed, order: Sequence[Order]) -> list[tuple[str, Typed]]:
        first, last = self.p
        added: list[tuple[str, Typed]] = []
        for distance in range(first, last + 1):
            before = over(exp.Lag(this=value.sql.copy(), offset=literal_integer(distance)), order)
            added.append((self.alias or f"{self.field}_p{distance}", Typed(before, value.type)))
        return added
