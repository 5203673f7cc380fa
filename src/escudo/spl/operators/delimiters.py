"""What stands between the values of a multivalue field when ``nomv`` makes it one text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from escudo.spl.relation.relation import Relation

DEFAULT = "\n"


def remember_delimiter(relation: Relation, names: Iterable[str], delimiter: str) -> Relation:
    """Remember the delimiter of fields."""
    known = {**relation.traits.delimiters, **dict.fromkeys(names, delimiter)}
    return replace(relation, traits=replace(relation.traits, delimiters=known))


def delimiter_of(relation: Relation, name: str) -> str:
    return relation.traits.delimiters.get(name, DEFAULT)
