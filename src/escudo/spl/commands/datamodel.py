"""``datamodel``: data models and the events of their datasets (Search Reference: datamodel)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.core.errors import EscudoError
from escudo.spl.binding import dataset
from escudo.spl.binding.binder import Binder, Command
from escudo.spl.binding.declaration import Declaration, Reads
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.options import boolean_option, format_options
from escudo.spl.syntax.unparse import word

MODES = ("search", "flat", "flat_string", "search_string", "acceleration_search")


@dataclass(frozen=True)
class DataModel(Command):
    """``datamodel [model] [dataset] [mode] [options]``.

    Without a mode it lists the models (or the one) as JSON; with ``search`` it gives the events,
    fields prefixed with the dataset's name; with ``flat`` without the prefix.

    Refused: the modes ``flat_string``, ``search_string`` and ``acceleration_search``.
    """

    name: ClassVar[str] = "datamodel"
    generating: ClassVar[bool] = True
    declares: ClassVar[Declaration] = Declaration(reads=Reads.NAMED)

    model: str | None = None
    dataset: str | None = None
    mode: str | None = None
    strict_fields: bool = boolean_option(
        True, "Whether there are only the fields of the model; no effect here."
    )
    allow_old_summaries: bool = boolean_option(
        False, "Whether summaries of an older model count; no effect here."
    )
    summariesonly: bool = boolean_option(
        False, "Whether only accelerated data counts; no effect here."
    )

    @classmethod
    def parse(cls, args: Args) -> Self:
        names, options = args.read_names_and_options(cls)
        token = args.peek()
        if len(names) > 3:
            args.missing("at most a model, a dataset and a mode")
        model, dataset_name, mode = (*names, None, None, None)[:3]
        mode = mode.lower() if mode is not None else None
        if mode is not None and mode not in MODES:
            args.fail(f"'{mode}' is no mode; the modes are {', '.join(MODES)}", token)
        return cls(
            model=model, dataset=dataset_name, mode=mode, **options.values(cls), span=args.span()
        )

    def format(self) -> str:
        names = (n for n in (self.model, self.dataset, self.mode) if n is not None)
        return f"datamodel{''.join(f' {word(n)}' for n in names)}{format_options(self)}"

    def split_by_batches(self, partial: frozenset[str]) -> frozenset[str] | None:
        """Events as they are."""
        return partial if self.mode in ("search", "flat") else None

    def bind(self, source: Relation | None, binder: Binder) -> Relation:
        if self.mode is None:
            return dataset.listing(self.model, self.dataset, binder, self.span)
        if self.mode not in ("search", "flat"):
            raise EscudoError(
                "SPL301",
                f"datamodel mode '{self.mode}' is not supported",
                span=self.span,
                hint="use search (fields with the dataset's name) or flat (without)",
            )
        assert self.model is not None
        read = dataset.read_prefixed if self.mode == "search" else dataset.read
        return read(dataset.find(self.model, self.dataset, binder, self.span), binder)
