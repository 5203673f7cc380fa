"""What stands between the values of a field when ``nomv`` makes them one text.

Called by the commands that make multivalues: ``makemv``, ``mvcombine``, ``stats``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from escudo.spl.relation.relation import Relation


def remember_delimiter(relation: Relation, names: Iterable[str], delimiter: str) -> Relation:
    """The relation with the delimiter of these fields."""
    known = {**relation.traits.delimiters, **dict.fromkeys(names, delimiter)}
    return replace(relation, traits=replace(relation.traits, delimiters=known))
