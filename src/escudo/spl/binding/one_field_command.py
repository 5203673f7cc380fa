"""Arguments of one field and options <-> command; the base of commands that work on one field."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import ClassVar, Self

from escudo.spl.binding.binder import Command
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.options import format_options
from escudo.spl.syntax.unparse import word


@dataclass(frozen=True)
class OneFieldCommand(Command, ABC):
    """``name [options] field [options]``."""

    what: ClassVar[str] = "a field"
    """What the field is called where it is missing."""

    field: str

    @classmethod
    def parse(cls, args: Args) -> Self:
        options = args.read_options(cls)
        field = args.name(cls.what)
        args.read_options(cls, into=options)
        return cls(field=field, **options.values(cls), span=args.span())

    def format(self) -> str:
        return f"{self.name}{format_options(self)} {word(self.field)}"
