"""``escudo user``: who may log in to the server of a lake."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from escudo.cli.account_options import open_administration, read_password
from escudo.cli.options import lake_option
from escudo.cli.output import choose_format, format_option, write_rows
from escudo.cli.state_options import state_option
from escudo.core.timerange import iso_utc
from escudo.lake.place import LakePlace
from escudo.serve.permissions import ROLES

_FIELDS = ("name", "roles", "full_name", "provider", "created", "disabled", "must_change")

_ROLES = click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice(tuple(ROLES)),
    help="What he may do; repeatable.",
)
_PASSWORD_FILE = click.option(
    "--password-file",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="File whose first line is the password (-: standard input) [default: it is asked for].",
)


@click.group()
def command() -> None:
    """Say who may log in to `escudo serve`. A server that runs need not be started anew."""


@command.command()
@lake_option(required=True, existing=True)
@state_option
@click.argument("name")
@_ROLES
@click.option("--full-name", default="", help="What pages call him.")
@_PASSWORD_FILE
def add(
    lake_path: LakePlace,
    state_place: str | None,
    name: str,
    roles: Sequence[str],
    full_name: str,
    password_file: Path | None,
) -> None:
    """Add a user NAME, who changes his password when he first logs in."""
    password = read_password(password_file)
    with open_administration(state_place, lake_path) as administration:
        administration.add_user(name, roles, full_name=full_name, password=password)


@command.command()
@lake_option(required=True, existing=True)
@state_option
@click.argument("name")
@_PASSWORD_FILE
def passwd(
    lake_path: LakePlace, state_place: str | None, name: str, password_file: Path | None
) -> None:
    """Give the user NAME another password, which he changes when he next logs in. His sessions
    end."""
    password = read_password(password_file)
    with open_administration(state_place, lake_path) as administration:
        administration.change_user(name, password=password)


@command.command()
@lake_option(required=True, existing=True)
@state_option
@click.argument("name")
@_ROLES
def roles(lake_path: LakePlace, state_place: str | None, name: str, roles: Sequence[str]) -> None:
    """Give the user NAME other roles."""
    with open_administration(state_place, lake_path) as administration:
        administration.change_user(name, roles=roles)


@command.command()
@lake_option(required=True, existing=True)
@state_option
@click.argument("name")
@click.option("--enable", is_flag=True, help="Let him in again.")
def disable(lake_path: LakePlace, state_place: str | None, name: str, enable: bool) -> None:
    """Let the user NAME in no more; his sessions and his tokens of the API end."""
    with open_administration(state_place, lake_path) as administration:
        administration.change_user(name, disabled=not enable)


@command.command("list")
@lake_option(required=True, existing=True)
@state_option
@format_option()
def list_all(lake_path: LakePlace, state_place: str | None, format_: str | None) -> None:
    """List the users."""
    with open_administration(state_place, lake_path) as administration:
        users = administration.accounts.users.list()
    rows: list[dict[str, Any]] = [
        {
            "name": user.name,
            "roles": list(user.roles),
            "full_name": user.full_name,
            "provider": user.provider,
            "created": iso_utc(user.created),
            "disabled": None if user.disabled is None else iso_utc(user.disabled),
            "must_change": user.must_change,
        }
        for user in users
    ]
    write_rows(rows, _FIELDS, choose_format(format_))
