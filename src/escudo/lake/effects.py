"""What a search asks to be changed (``spl.effects``) -> the change in a lake; use cases call it.

Each effect is whole or absent, and on the disk when this returns: events by a commit, a lookup or
model by the replacement of its file. The content's own files are never touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc

from escudo.core.catalog import Knowledge
from escudo.core.errors import EscudoError
from escudo.lake import maintenance
from escudo.lake.knowledge import LakeKnowledge, find_place
from escudo.lake.lookups import build_lookup_file
from escudo.lake.store import Lake
from escudo.lake.table_rows import lay_out
from escudo.lake.tables import NOTABLE, RISK, STASH
from escudo.spl import Deletion, Effect, IndexOutput, LookupOutput, ModelOutput

_TABLES = {"risk": RISK, "notable": NOTABLE}
"""Indexes with a table of their own; the others share one."""


@dataclass(frozen=True, slots=True)
class Change:
    """What was done: ``kind`` is lookup, index, model or deletion; ``count`` rows or events."""

    kind: str
    name: str
    count: int

    def __str__(self) -> str:
        return {
            "lookup": f"{self.count:,} rows went to lookup {self.name}",
            "index": f"{self.count:,} events went to index {self.name}",
            "model": f"model {self.name} is stored",
            "deletion": f"{self.count:,} events are deleted",
        }[self.kind]


def carry_out(
    effects: Sequence[Effect],
    lake: Lake,
    content: Knowledge,
    *,
    search: str,
    may_delete: bool = False,
    may_write_internal: bool = False,
) -> tuple[Change, ...]:
    """Does what a search asked for, in its order; the events that it collects come in together.

    Args:
        effects: those of ``Compiled.effects``.
        lake: where to.
        content: the definitions of lookups, as the content has them.
        search: the name of the search, the source of its events.
        may_delete: whether the caller has the right to delete (in Splunk, role ``can_delete``).
        may_write_internal: whether the caller may write to internal indexes (``_audit``).

    Raises:
        EscudoError: LAK015 for a deletion without the right, LAK025 for events to an internal
            index; then nothing is done. LAK014, LAK007, LAK013 as in ``codes``.
    """
    internal = [e for e in effects if isinstance(e, IndexOutput) and e.index.startswith("_")]
    if internal and not may_write_internal:
        message = f"index {internal[0].index} is internal; nothing was changed"
        raise EscudoError("LAK025", message)
    gone = sum(len(e.event_ids) for e in effects if isinstance(e, Deletion))
    if gone and not may_delete:
        raise EscudoError("LAK015", f"'delete' would take {gone:,} events; nothing was changed")
    done = _collect([e for e in effects if isinstance(e, IndexOutput)], lake, search)
    for effect in effects:
        match effect:
            case LookupOutput():
                done.append(_output(effect, lake, content))
            case ModelOutput(name, model):
                lake.artifacts.keep_model(name, model)
                done.append(Change("model", name, 1))
            case Deletion(ids):
                if ids:
                    maintenance.delete(lake, ids)
                done.append(Change("deletion", "", len(ids)))
    return tuple(done)


def _collect(outputs: Sequence[IndexOutput], lake: Lake, search: str) -> list[Change]:
    if not outputs:
        return []
    schemas = {s.table: s for s in lake.tables.raw}
    with lake.writer() as writer:
        for output in outputs:
            events = output.rows
            if not events.num_rows:
                continue
            table = _TABLES.get(output.index.lower(), STASH)
            fields = {n: events[n] for n in events.column_names}
            fields["source"] = pc.fill_null(events["source"], search)
            writer.append_rows(table, lay_out(fields, schemas[table]))
        writer.commit(kind="collect")
    return [Change("index", o.index, o.rows.num_rows) for o in outputs]


def _output(effect: LookupOutput, lake: Lake, content: Knowledge) -> Change:
    definition = content.lookup(effect.lookup)
    known = LakeKnowledge(content, lake.artifacts)
    kind, name = find_place(definition, effect.lookup)

    def make(current: Path | None) -> bytes | None:
        return build_lookup_file(effect, definition, known.lookup(effect.lookup), current)

    if effect.append or not effect.rows.num_rows:
        lake.artifacts.change(kind, name, make)
    else:  # it does not depend on what is there: no other writer has to wait for it
        made = make(None)
        lake.artifacts.change(kind, name, lambda _: made)
    return Change("lookup", effect.lookup, effect.rows.num_rows)
