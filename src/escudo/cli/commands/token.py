"""``escudo token``: what programs send events with, or ask the server with."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from escudo.cli.account_options import open_administration
from escudo.cli.json_text import dump_json
from escudo.cli.options import lake_option
from escudo.cli.output import choose_format, format_option, write_rows
from escudo.cli.state_options import state_option
from escudo.core.timerange import iso_utc
from escudo.lake.place import LakePlace
from escudo.serve.accounts.tokens import API, HEC
from escudo.serve.permissions import ROLES

_FIELDS = ("id", "name", "kind", "owner", "settings", "created", "expires", "used", "disabled")


@click.group()
def command() -> None:
    """Make and end the tokens of programs: of HEC, which send events, and of the API, which act as
    a user."""


@command.command()
@lake_option(required=True, existing=True)
@state_option
@click.argument("name")
@click.option("--kind", type=click.Choice((HEC, API)), default=HEC, show_default=True)
@click.option("--owner", default="admin", show_default=True, help="User whom it is of.")
@click.option("--days", type=click.FloatRange(0, 36_500, min_open=True), help="How long it counts.")
@click.option("--index", help="HEC: where events go that name no index.")
@click.option("--allow-index", "indexes", multiple=True, help="HEC: only there; repeatable.")
@click.option("--sourcetype", help="HEC: that of events that name none.")
@click.option("--use-ack", is_flag=True, help="HEC: acknowledge what is durable when asked.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice(tuple(ROLES)),
    help="API: only what this role may do; repeatable.",
)
def add(
    lake_path: LakePlace,
    state_place: str | None,
    name: str,
    kind: str,
    owner: str,
    days: float | None,
    index: str | None,
    indexes: Sequence[str],
    sourcetype: str | None,
    use_ack: bool,
    roles: Sequence[str],
) -> None:
    """Make a token NAME, and print its secret: that of the API's is told this once."""
    given: dict[str, Any]
    if kind == HEC:
        if roles:
            raise click.UsageError("--role is for --kind api")
        given = {"index": index, "indexes": list(indexes), "sourcetype": sourcetype}
        given["useACK"] = use_ack
    else:
        if index or indexes or sourcetype or use_ack:
            raise click.UsageError("--index, --allow-index, --sourcetype, --use-ack are for HEC")
        given = {"roles": list(roles)}
    settings = {key: value for key, value in given.items() if value}
    with open_administration(state_place, lake_path) as administration:
        secret, token = administration.add_token(
            name, kind=kind, owner=owner, days=days, settings=settings
        )
    sys.stdout.write(dump_json({"id": token.id, "name": name, "token": secret}) + "\n")


@command.command("list")
@lake_option(required=True, existing=True)
@state_option
@format_option()
def list_all(lake_path: LakePlace, state_place: str | None, format_: str | None) -> None:
    """List the tokens, without their secrets."""
    with open_administration(state_place, lake_path) as administration:
        tokens = administration.accounts.tokens.list()
    rows: list[dict[str, Any]] = [
        {
            "id": token.id,
            "name": token.name,
            "kind": token.kind,
            "owner": token.owner,
            "settings": dict(token.settings),
            "created": iso_utc(token.created),
            "expires": None if token.expires is None else iso_utc(token.expires),
            "used": None if token.used is None else iso_utc(token.used),
            "disabled": None if token.disabled is None else iso_utc(token.disabled),
        }
        for token in tokens
    ]
    write_rows(rows, _FIELDS, choose_format(format_))


@command.command()
@lake_option(required=True, existing=True)
@state_option
@click.argument("number", type=click.IntRange(1, 2**31 - 1))
@click.option("--remove", is_flag=True, help="Take it away altogether.")
def revoke(lake_path: LakePlace, state_place: str | None, number: int, remove: bool) -> None:
    """End the token of a NUMBER (its id)."""
    with open_administration(state_place, lake_path) as administration:
        if remove:
            administration.remove_token(number)
        else:
            administration.change_token(number, disabled=True)
