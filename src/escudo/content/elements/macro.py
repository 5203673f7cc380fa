"""YAML -> a search macro, as ``core.catalog.Macro``."""

from __future__ import annotations

import re

from escudo.content.reading import Section
from escudo.core.catalog import Macro

_ARITY = re.compile(r"\(\d+\)$")


def read_macro(section: Section) -> Macro:
    """A macro from its YAML; a name may carry its number of arguments, as in macros.conf."""
    arguments = section.texts("arguments")
    name = _ARITY.sub("", section.text("name").strip())
    definition = section.text("definition").strip()
    is_eval = section.boolean("iseval", False)
    section.ignore("description", "id", "version", "date", "author", "status")
    section.ignore("creation_date", "modification_date")
    section.finish()
    return Macro(name, definition, arguments, is_eval, section.span_of("definition"))
