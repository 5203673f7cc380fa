"""Knowledge -> the same, with notes of which lookups, models and jobs were asked for; ``screening``
keeps what it has found out for as long as these stay what they are."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from typing import TypeAlias

import pyarrow as pa

from escudo.core.catalog import Knowledge, KnowledgeView, Lookup

Name: TypeAlias = tuple[str, str]
"""A kind (lookup, model, job, lookups) and a name."""


Asked: TypeAlias = tuple[tuple[Name, str], ...]
"""Names, and what each of them was."""


class AskedKnowledge(KnowledgeView):
    """``core.catalog.Knowledge``; ``states`` has what was asked for of what searches can write, and
    what it was before it was given."""

    def __init__(self, knowledge: Knowledge) -> None:
        super().__init__(knowledge)
        self._found = KnownStates(knowledge)
        self.states: dict[Name, str] = {}

    def _note(self, name: Name) -> None:
        self.states[name] = self._found.find(name)

    def lookup(self, name: str) -> Lookup | None:
        self._note(("lookup", name))
        return self._knowledge.lookup(name)

    def lookups(self) -> Sequence[str]:
        self._note(("lookups", ""))
        return self._knowledge.lookups()

    def model(self, name: str) -> bytes | None:
        self._note(("model", name))
        return self._knowledge.model(name)

    def job(self, name: str) -> pa.Table | None:
        self._note(("job", name))
        return self._knowledge.job(name)

    def fingerprint(self) -> bytes:
        self._note(("job", ""))
        return self._knowledge.fingerprint()


class KnownStates:
    """What lookups, models and jobs are now, each looked at once."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self.find = cache(self._find)
        """The state of a name: it is the same for as long as what is asked for is."""

    def _find(self, name: Name) -> str:
        kind, text = name
        match kind:
            case "lookup":
                return _describe_lookup(self._knowledge.lookup(text))
            case "lookups":
                return "\n".join(sorted(self._knowledge.lookups()))
            case "model":
                content = self._knowledge.model(text)
                return "" if content is None else hashlib.blake2b(content).hexdigest()
            case _:
                return self._knowledge.fingerprint().hex()


def still_holds(asked: Asked, knowledge: Knowledge) -> bool:
    """Whether all that was asked for is what it was."""
    states = KnownStates(knowledge)
    return all(states.find(name) == was for name, was in asked)


def _describe_lookup(lookup: Lookup | None) -> str:
    if lookup is None or lookup.path is None:
        return repr(lookup)
    with suppress(OSError):
        state = os.stat(lookup.path)
        return f"{lookup!r}|{state.st_ino}|{state.st_size}|{state.st_mtime_ns}"
    return f"{lookup!r}|gone"
