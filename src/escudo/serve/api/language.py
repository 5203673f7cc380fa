"""What an editor of searches asks while somebody types: the words of the language, what may come
next. What is wrong in a search, ``/api/searches/check`` says."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass, field, replace
from threading import Lock

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from escudo.actions.complete_search import Names, gather_names, propose
from escudo.actions.describe_language import describe_language
from escudo.actions.source_activity import list_origins
from escudo.serve.accounts.principal import Principal
from escudo.serve.permissions import Permission, asks
from escudo.serve.server import Server

router = APIRouter(prefix="/api/language", tags=["language"])

LONGEST = 100_000
"""Characters of a search that is looked at."""

_KEPT_SECONDS = 30.0


class OptionWord(BaseModel):
    """An option of a command: what it takes, and what it does."""

    name: str
    takes: str
    help: str


class CommandWord(BaseModel):
    """A command by one of its names; ``starts``: it makes rows of its own."""

    name: str
    syntax: str
    starts: bool
    options: list[OptionWord]


class FunctionWord(BaseModel):
    """A function: how many arguments it takes, and the type of its result."""

    name: str
    arguments: str
    result: str


class LanguageWords(BaseModel):
    """The words of SPL that Escudo knows."""

    commands: list[CommandWord]
    functions: list[FunctionWord]
    statistics: list[FunctionWord]
    words: list[str]


class Typed(BaseModel):
    """A search that is being written, and where the cursor is: an offset in characters."""

    search: str = Field(max_length=LONGEST)
    cursor: int = Field(ge=0)


class Item(BaseModel):
    """A word that may stand at the cursor, in place of the text from ``start`` on."""

    text: str
    start: int
    kind: str
    about: str


class Completions(BaseModel):
    items: list[Item]


@dataclass
class _KnownNames:
    """The names of a lake at one commit, gathered once; not more often than each half minute, since
    a lake that takes events in has a commit each second."""

    commit: int | None = None
    gathered: float = -math.inf
    names: Names = field(default_factory=Names)
    origins: frozenset[tuple[str, str]] = frozenset()
    """Indexes with the source types of their events."""
    lock: Lock = field(default_factory=Lock)

    def find(self, server: Server, who: Principal) -> Names:
        """The names, those of indexes and source types as far as somebody sees their events."""
        workspace = server.make_workspace()
        snapshot = workspace.lake.snapshot()
        with self.lock:
            old = time.monotonic() > self.gathered + _KEPT_SECONDS
            if old and self.commit != snapshot.commit.id:
                self.names = gather_names(snapshot, workspace.knowledge)
                self.origins = frozenset(list_origins(snapshot, workspace.engine_of(snapshot)))
                self.commit = snapshot.commit.id
                self.gathered = time.monotonic()
            seen = [(index, kind) for index, kind in self.origins if who.sees(index)]
            return replace(
                self.names,
                indexes=tuple(sorted({index for index, _ in seen})),
                sourcetypes=tuple(sorted({kind for _, kind in seen})),
            )


@router.get("")
@asks(Permission.SEARCH)
def read_language(request: Request) -> LanguageWords:
    """Commands with their options, functions, and the words between arguments."""
    return LanguageWords.model_validate(asdict(describe_language()))


@router.post("/complete")
@asks(Permission.SEARCH)
def complete(request: Request, typed: Typed) -> Completions:
    """What may come next at the cursor, the likeliest first."""
    before = typed.search[: typed.cursor]
    names = find_names(request).find(request.app.state.server, request.scope["principal"])
    items = [
        Item(text=p.text, start=len(before) - p.typed, kind=p.kind, about=p.about)
        for p in propose(before, names)
    ]
    return Completions(items=items)


def find_names(request: Request) -> _KnownNames:
    """What is known of the lake's names in this application."""
    state = request.app.state
    if not hasattr(state, "known_names"):
        state.known_names = _KnownNames()
    known: _KnownNames = state.known_names
    return known
