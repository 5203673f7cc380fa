"""Searches -> what in them is hardly what their author meant; called by ``escudo lint``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from escudo.actions.named_search import NamedSearch, point_into_file
from escudo.core.catalog import Catalog, Knowledge
from escudo.core.errors import Diagnostic
from escudo.spl import lint_search


def lint_searches(
    searches: Iterable[NamedSearch], catalog: Catalog, knowledge: Knowledge
) -> Iterator[Diagnostic]:
    """The findings of each search, each with its place in the file as it is on the disk.

    Args:
        catalog: what the searches are checked against: the schemas and the fields of a lake.
    """
    for search in searches:
        for diagnostic in lint_search(search.text, catalog, knowledge, file=search.file):
            yield point_into_file(diagnostic, search)
