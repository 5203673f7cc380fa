"""The content's knowledge and a lake's files -> the knowledge that searches over it see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from escudo.core.catalog import Knowledge, KnowledgeView, Lookup
from escudo.lake.artifacts import COLLECTIONS, LOOKUPS, Artifacts


class LakeKnowledge(KnowledgeView):
    """``core.catalog.Knowledge``: a lookup's rows in the lake go before the content's file, and
    models and jobs are those of the lake. What the lake does not have is the content's."""

    def __init__(self, content: Knowledge, artifacts: Artifacts) -> None:
        super().__init__(content)
        self._artifacts = artifacts

    def lookup(self, name: str) -> Lookup | None:
        defined = self._knowledge.lookup(name)
        path = self._artifacts.find(*find_place(defined, name))
        if path is None:
            return defined
        return replace(defined or Lookup(name), path=str(path), verbatim=True)

    def lookups(self) -> Sequence[str]:
        return tuple(dict.fromkeys((*self._knowledge.lookups(), *self._artifacts.names(LOOKUPS))))

    def model(self, name: str) -> bytes | None:
        return self._artifacts.model(name)

    def job(self, name: str) -> pa.Table | None:
        return self._artifacts.job(name)

    def fingerprint(self) -> bytes:
        return self._artifacts.fingerprint()


def find_place(defined: Lookup | None, name: str) -> tuple[str, str]:
    """The kind and name of the file in a lake that holds a lookup's rows.

    Definitions of one file or collection share it, as in Splunk; a name that nobody defined is a
    file of its own.

    >>> find_place(Lookup("seen", collection="seen_users"), "seen")
    ('collections', 'seen_users')
    >>> find_place(Lookup("staff", path="/content/staff_2024.csv"), "staff")
    ('lookups', 'staff_2024.csv')
    >>> find_place(None, "mine")
    ('lookups', 'mine')
    """
    if defined is not None and defined.collection is not None:
        return COLLECTIONS, defined.collection
    if defined is not None and defined.path is not None:
        return LOOKUPS, Path(defined.path).name
    return LOOKUPS, name
