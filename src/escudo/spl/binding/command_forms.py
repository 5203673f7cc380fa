"""Forms in which several commands are written: fields with options, a field with a name after AS,
a subsearch after options. The commands of these forms are subclasses."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import Self

from escudo.spl.binding.binder import Command
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import Node, Pipeline
from escudo.spl.syntax.options import format_options, integer_option
from escudo.spl.syntax.unparse import word, words


@dataclass(frozen=True)
class FieldsCommand(Command, ABC):
    """``name [options] [fields]``, in any order."""

    fields: tuple[str, ...] = ()

    @classmethod
    def parse(cls, args: Args) -> Self:
        fields, options = args.read_names_and_options(cls)
        return cls(fields=fields, **options.values(cls), span=args.span())

    def format(self) -> str:
        fields = f" {words(self.fields, separator=' ')}" if self.fields else ""
        return f"{self.name}{format_options(self)}{fields}"


@dataclass(frozen=True)
class AliasCommand(Command, ABC):
    """``name field [AS alias] [options]``; options may stand before and after each part."""

    field: str
    alias: str | None = None

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        field = args.name()
        args.read_options(cls, into=options)
        alias = args.name("a name after AS") if args.accept_word("as") else None
        args.read_options(cls, into=options)
        return cls(field=field, alias=alias, **options.values(cls), span=args.span())

    def format(self) -> str:
        return f"{self.name} {self.format_field()}{format_options(self)}"

    def format_field(self) -> str:
        """``field [AS alias]``."""
        alias = f" AS {word(self.alias)}" if self.alias is not None else ""
        return f"{word(self.field, 'as')}{alias}"


@dataclass(frozen=True)
class SubsearchCommand(Command, ABC):
    """``name [options] [ subsearch ]``."""

    subsearch: Pipeline

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        return cls(subsearch=args.subsearch(), **options.values(cls), span=args.span())

    def format(self) -> str:
        return f"{self.name}{format_options(self)} [{self.subsearch.format(nested=True)}]"


@dataclass(frozen=True)
class SubsearchLimits(Node):
    """What bounds a subsearch."""

    maxtime: int = integer_option(60, "Seconds that a subsearch may take; no effect here.")
    maxout: int = integer_option(50_000, "Rows of a subsearch that are taken at most.")
    timeout: int = integer_option(60, "Seconds to wait for a subsearch; no effect here.")
