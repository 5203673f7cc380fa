"""A lake's state -> what an administrator may do there from the command line; ``escudo user`` and
``escudo token`` call it."""

from __future__ import annotations

import getpass
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from escudo.cli.state_options import open_state
from escudo.core.errors import EscudoError
from escudo.lake.place import LakePlace
from escudo.serve.accounts.administration import Administration
from escudo.serve.accounts.audit import Audit
from escudo.serve.accounts.authenticate import Accounts
from escudo.serve.accounts.roles import Roles
from escudo.serve.accounts.sessions import Sessions
from escudo.serve.accounts.tokens import Tokens
from escudo.serve.accounts.users import Users


@contextmanager
def open_administration(state_place: str | None, lake: LakePlace) -> Iterator[Administration]:
    """The accounts of a state; the audit log tells the name of the system's user."""
    with open_state(state_place, lake) as state:
        accounts = Accounts(
            users=Users(state, clock=time.time),
            sessions=Sessions(state, clock=time.time),
            tokens=Tokens(state, clock=time.time),
            audit=Audit(state, clock=time.time),
            roles=Roles(state, clock=time.time),
        )
        yield Administration(accounts, f"{_find_login()} at the command line")


def _find_login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # in a container, a user without a name
        return "somebody"


def read_password(file: Path | None) -> str:
    """A password: the first line of a file (``-``: standard input), or what is typed at a prompt,
    twice, unseen. No option takes one: others see a process' arguments.

    Raises:
        EscudoError: SRV003 for a file that cannot be read.
    """
    if file is None:
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    try:
        with click.open_file(str(file), encoding="utf-8") as lines:
            line: str = lines.readline()
            return line.rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise EscudoError("SRV003", f"{file}: no password can be read from it") from error
