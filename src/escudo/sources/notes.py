"""What is told of the events of a file besides the events; ``assemble`` and ``reading`` give it.

The lake's report counts it by file, and warns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from escudo.sources.events import Events


class Kind(StrEnum):
    """What a note is about."""

    OTHER_LINES = "other lines"
    NOT_UNDERSTOOD = "not understood"
    FILE_TIME = "file time"
    NO_ZONE = "no time zone"


@dataclass(frozen=True, slots=True)
class Note:
    """So many events or lines of a file are of a kind; ``seen`` says what was seen in one."""

    kind: Kind
    count: int
    seen: str


_LOOKS: Mapping[str, str] = {
    "eventid": "id",
    "event_id": "id",
    "eventcode": "id",
    "event_code": "id",
    "eventidentifier": "id",
    "channel": "origin",
    "log_name": "origin",
    "logname": "origin",
    "provider": "origin",
    "provider_name": "origin",
    "providername": "origin",
    "sourcename": "origin",
    "eventsourcename": "origin",
    "eventlog": "origin",
    "event id": "id",
    "task category": "origin",
    "ereignis-id": "id",
    "aufgabenkategorie": "origin",
    "id de l’événement": "id",
    "catégorie de la tâche": "origin",
    "id. del evento": "id",
    "categoría de la tarea": "origin",
}
"""Names that the event id and its origin have in exports of Windows events, in lower case; Event
Viewer's CSV has neither channel nor computer."""


def find_windows_look(events: Events) -> Note | None:
    """Of events in no known form: those with an event id and a channel or provider somewhere.

    >>> import pyarrow as pa
    >>> events = Events({"a.EventID": "4688", "a.ProviderName": "x"}, pa.array(["{}"]))
    >>> note = find_windows_look(events)
    >>> note.count, note.seen
    (1, 'a.EventID, a.ProviderName')
    """
    has = {part: np.zeros(len(events.raw), dtype=bool) for part in ("id", "origin")}
    seen: list[str] = []
    for name, values in events.fields.items():
        whole = name.lower()
        steps = [whole] if whole in _LOOKS else whole.replace("@", "").replace("{}", "").split(".")
        part = next((_LOOKS[step] for step in reversed(steps) if step in _LOOKS), None)
        if part is None:
            continue
        seen.append(name)
        has[part] |= (
            True if isinstance(values, str) else values.is_valid().to_numpy(zero_copy_only=False)
        )
    count = int(np.count_nonzero(has["id"] & has["origin"]))
    return Note(Kind.NOT_UNDERSTOOD, count, ", ".join(seen[:4])) if count else None
