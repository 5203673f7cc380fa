"""``fit``: trains a model (Machine Learning Toolkit, fit and apply commands)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

from escudo.core.errors import Span
from escudo.spl.args import Args
from escudo.spl.ast import Command
from escudo.spl.bind import rows
from escudo.spl.learning import fitted
from escudo.spl.unparse import word, words

if TYPE_CHECKING:
    from escudo.spl.bind import Binder
    from escudo.spl.plan import Relation


@dataclass(frozen=True)
class Fit(Command):
    """``fit Algorithm fields [FROM features] [BY fields] [options] [INTO model] [AS prefix]``.

    With FROM, the field before it is what is predicted; the names of features may have wildcards.
    BY is for DensityFunction. INTO keeps the model where the search runs with a lake to write to,
    for `apply`. Which algorithms there are, with their options: docs/algorithms.md.
    """

    name: ClassVar[str] = "fit"

    algorithm: str
    fields: tuple[str, ...]
    features: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()
    model: str | None = None
    alias: str | None = None
    places: Mapping[str, Span] = field(default_factory=dict, compare=False, repr=False)
    """Where each option of the algorithm stands."""

    @classmethod
    def parse(cls, args: Args) -> Self:
        algorithm = args.name("the name of an algorithm")
        lists: dict[str, list[str]] = {"": [], "from": [], "by": []}
        names: dict[str, str] = {}
        parameters: dict[str, str] = {}
        places: dict[str, Span] = {}
        current = ""
        while args.more():
            if args.accept(","):
                continue
            if (given := args.option()) is not None:
                option, value = given
                parameters[option.text] = value.text
                places[option.text] = args.span(option.start)
            elif keyword := args.accept_word("from", "by"):
                current = keyword
            elif keyword := args.accept_word("into", "as"):
                names[keyword] = args.name(f"a name after {keyword.upper()}")
            else:
                lists[current] += _split(args.name()) if current == "by" else [args.name()]
        if not lists[""]:
            args.missing("a field")
        return cls(
            algorithm,
            tuple(lists[""]),
            tuple(lists["from"]),
            tuple(lists["by"]),
            tuple(parameters.items()),
            names.get("into"),
            names.get("as"),
            places,
            span=args.span(),
        )

    def format(self) -> str:
        reserved = ("from", "by", "into", "as")
        return (
            f"fit {word(self.algorithm)} {words(self.fields, *reserved, separator=' ')}"
            + (f" from {words(self.features, *reserved, separator=' ')}" if self.features else "")
            + (f" by {words(self.by, *reserved, separator=' ')}" if self.by else "")
            + "".join(f" {name}={word(value)}" for name, value in self.parameters)
            + (f" into {word(self.model)}" if self.model is not None else "")
            + (f" as {word(self.alias)}" if self.alias is not None else "")
        )

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        return fitted(rows(source, self), self, binder)


def _split(text: str) -> list[str]:
    """The fields of a quoted list (``"HourOfDay,DayOfWeek"``)."""
    return [part.strip() for part in text.split(",") if part.strip()]
