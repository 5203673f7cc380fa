"""Name of a saved search -> its rows; for ``savedsearch`` and ``from``."""

from __future__ import annotations

from escudo.core.errors import EscudoError, Span
from escudo.spl.binding.binder import Binder
from escudo.spl.relation.relation import Relation


def saved_text(name: str, binder: Binder, span: Span | None) -> str:
    """The text of a saved search. Raises ``SPL312`` if there is none of this name."""
    text = binder.knowledge.saved_search(name)
    if text is None:
        raise EscudoError("SPL312", f"unknown saved search '{name}'", span=span)
    return text


def saved_search(name: str, binder: Binder, span: Span | None) -> Relation:
    """The rows of a saved search."""
    return binder.pipeline(binder.parse(saved_text(name, binder, span)))
