"""What an eval expression may ask of the place where it stands; the binder and scans answer it."""

from __future__ import annotations

from datetime import tzinfo
from typing import Protocol, runtime_checkable

from escudo.core.errors import Span
from escudo.spl.relation.values import Typed
from escudo.spl.syntax.ast import Pipeline


class Scope(Protocol):
    """The fields an expression sees, and the clock of the search."""

    @property
    def now(self) -> float:
        """The time of the search in epoch seconds."""
        ...

    @property
    def zone(self) -> tzinfo:
        """The time zone of the search."""
        ...

    def field(self, name: str) -> Typed | None:
        """A field as SQL; None if no such field is known (it is null then)."""
        ...

    def warn(self, code: str, message: str, span: Span | None) -> None: ...


@runtime_checkable
class SearchScope(Scope, Protocol):
    """A scope that can also say whether a search expression holds (``searchmatch``)."""

    def search(self, text: str, span: Span | None) -> Typed:
        """A condition: the event matches the search string."""
        ...


@runtime_checkable
class TextScope(Scope, Protocol):
    """A scope in which a subsearch can be run for its text."""

    def subsearch_text(self, pipeline: Pipeline) -> str | None:
        """The result of a subsearch as text; None where nothing can be run."""
        ...


@runtime_checkable
class NamedScope(Scope, Protocol):
    """A scope that knows the names of all its fields (``getfields``)."""

    def field_names(self) -> tuple[str, ...]: ...
