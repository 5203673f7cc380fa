"""Trials -> knowledge whose collections have the rows that the trials need; ``actions.synthesise``
runs their detection with it."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from escudo.core.catalog import Knowledge, KnowledgeView, Lookup
from escudo.synthesis.trials import Trial


@contextmanager
def hold_tables(knowledge: Knowledge, trials: Sequence[Trial]) -> Iterator[Knowledge]:
    """The knowledge, with the rows of the trials for as long as it is held."""
    rows: dict[str, list[Mapping[str, str]]] = {}
    for trial in trials:
        for table, some in trial.tables.items():
            rows.setdefault(table, []).extend(some)
    if not rows:
        yield knowledge
        return
    with tempfile.TemporaryDirectory(prefix="escudo-collections-") as folder:
        paths = {name: Path(folder) / f"{number}.csv" for number, name in enumerate(rows)}
        for name, path in paths.items():
            definition = knowledge.lookup(name)
            write_rows(path, rows[name], () if definition is None else definition.fields)
        yield _WithRows(knowledge, {name: str(path) for name, path in paths.items()})


def write_rows(path: Path, rows: Sequence[Mapping[str, str]], fields: Iterable[str] = ()) -> None:
    """Writes rows as CSV, under some names and those of all their fields."""
    names = dict.fromkeys([*fields, *(name for row in rows for name in row)])
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(names), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


class _WithRows(KnowledgeView):
    """``core.catalog.Knowledge`` with files for some collections."""

    def __init__(self, knowledge: Knowledge, paths: Mapping[str, str]) -> None:
        super().__init__(knowledge)
        self._paths = paths

    def lookup(self, name: str) -> Lookup | None:
        known = self._knowledge.lookup(name)
        path = self._paths.get(name)
        if known is None or path is None:
            return known
        return replace(known, path=path, collection=None, writer=None)
