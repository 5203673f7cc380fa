"""A generated day -> a lake with findings, served to a browser; ``escudo demo --serve`` calls it.

It stands apart from the command since it needs the extra ``server``, and the demo does not.
"""

from __future__ import annotations

import secrets
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import click

from escudo.actions.demo import DemoFollower, fill_demo
from escudo.cli.commands import serve
from escudo.cli.terminal import open_stderr
from escudo.core.errors import EscudoError
from escudo.lake import Lake
from escudo.schedule.database import FILE, State
from escudo.serve.accounts.users import Users

NAME = "demo"
"""The user of the demo, an administrator."""


def serve_demo(
    context: click.Context,
    events: int,
    seed: int,
    follower: DemoFollower,
    *,
    port: int,
    lake_path: Path | None,
) -> None:
    """Fills a lake unless it is there, makes a user, tells who he is, and serves until stopped."""
    with ExitStack() as stack:
        if lake_path is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="escudo-served-"))
            lake_path = Path(folder) / "lake"
        is_new = not lake_path.exists()
        with (
            Lake.open(lake_path, create=True) as lake,
            State.open(lake_path / FILE) as state,
        ):
            if is_new:
                fill_demo(events, seed, lake, state=state, follower=follower)
            password = _make_user(state)
        console = open_stderr()
        console.print(f"log in as {NAME} with the password {password}", highlight=False)
        options = ["--lake", str(lake_path), "--port", str(port)]
        inner = stack.enter_context(serve.command.make_context("serve", options, parent=context))
        serve.command.invoke(inner)


def _make_user(state: State) -> str:
    """The user, with a password that is new each time."""
    users = Users(state, clock=time.time)
    password = secrets.token_urlsafe(12)
    try:
        users.add(NAME, password, ["admin"], full_name="Demo")
    except EscudoError:
        users.set_password(NAME, password)
    return password
