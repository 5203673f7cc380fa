"""The lake's knowledge and what a user has himself -> the knowledge that his search sees; a search
process makes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from escudo.actions.joined_tables import join_tables
from escudo.core.catalog import Knowledge, KnowledgeView, Lookup, Macro
from escudo.serve.searches.results import Part, read_part


class UserKnowledge(KnowledgeView):
    """``core.catalog.Knowledge``.

    Saved searches are the user's own, then the content's. ``loadjob`` loads his own jobs; what
    ``--save-job`` has kept in the lake is for those who see every index, since nobody knows of
    which its rows are.

    Args:
        collections: the name of a collection of the KV store -> a CSV file of its rows.
        tuned: the filter macros that people have tuned since the server was started; they go before
            the base's.
    """

    def __init__(
        self,
        base: Knowledge,
        *,
        saved: Mapping[str, str],
        jobs: Mapping[str, Sequence[Part]],
        collections: Mapping[str, Path],
        sees_all: bool,
        tuned: Sequence[Macro] = (),
    ) -> None:
        super().__init__(base)
        self._saved = {name.lower(): search for name, search in saved.items()}
        self._jobs = jobs
        self._collections = collections
        self._sees_all = sees_all
        self._tuned = {(macro.name, len(macro.arguments)): macro for macro in tuned}

    def macro(self, name: str, arity: int) -> Macro | None:
        return self._tuned.get((name, arity)) or self._knowledge.macro(name, arity)

    def macros(self) -> Sequence[tuple[str, int]]:
        return tuple(dict.fromkeys((*self._knowledge.macros(), *self._tuned)))

    def lookup(self, name: str) -> Lookup | None:
        path = self._collections.get(name)
        if path is not None:
            return Lookup(name, path=str(path), collection=name, verbatim=True)
        return self._knowledge.lookup(name)

    def lookups(self) -> Sequence[str]:
        return tuple(dict.fromkeys((*self._knowledge.lookups(), *self._collections)))

    def saved_search(self, name: str) -> str | None:
        return self._saved.get(name.lower()) or self._knowledge.saved_search(name)

    def job(self, name: str) -> pa.Table | None:
        parts = self._jobs.get(name)
        if parts is not None:
            return join_tables([*map(read_part, parts)])
        return self._knowledge.job(name) if self._sees_all else None
