"""A server's application in the test's own process, over a lake that is empty."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from escudo import content
from escudo.actions.engines import DuckDBEngines
from escudo.lake import Lake
from escudo.schedule.database import FILE, State
from escudo.serve.app import make_app
from escudo.serve.live_content import LiveContent
from escudo.serve.security_headers import SecurityHeaders
from escudo.serve.server import Server
from escudo.serve.settings import ServerSettings


@contextmanager
def open_app(folder: Path) -> Iterator[tuple[SecurityHeaders, Server]]:
    """The application and its server; the lake is in the folder."""
    lake_path = folder / "lake"
    with (
        Lake.open(lake_path, create=True) as lake,
        State.open(lake_path / FILE) as state,
    ):
        server = Server(
            settings=ServerSettings(hosts=("testserver",)),
            lake=lake,
            state=state,
            contents=LiveContent(content.load(), state),
            engine_of=DuckDBEngines(),
        )
        yield make_app(server), server
