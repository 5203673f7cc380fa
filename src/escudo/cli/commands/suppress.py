"""``escudo suppress``: findings that nobody wants to see for a time."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Sequence
from typing import Any

import click

from escudo.cli.json_text import dump_json
from escudo.cli.options import lake_option, parse_bound
from escudo.cli.output import choose_format, format_option, write_rows
from escudo.cli.state_options import open_state, state_option
from escudo.core.errors import EscudoError
from escudo.core.timerange import iso_utc
from escudo.lake.place import LakePlace
from escudo.schedule.suppressions import add_suppression, list_suppressions, remove_suppression

_FIELDS = ("id", "detection", "fields", "reason", "created", "expires", "over")
_PERIOD = re.compile(r"([0-9]{1,6})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


@click.group()
def command() -> None:
    """Suppress findings, as Splunk ES does: they are written with the status `suppressed` and sent
    to nobody; their risk is scored."""


@command.command()
@lake_option(required=True, existing=True)
@state_option
@click.option("--detection", default="", help="Findings of this detection (name or id).")
@click.option(
    "--field",
    "fields",
    multiple=True,
    metavar="NAME=VALUE",
    help="Findings with this value (* stands for any characters); repeatable, all must hold.",
)
@click.option("--for", "period", default="", metavar="PERIOD", help="For so long: 12h, 7d.")
@click.option("--until", default="", help="Until a time: +7d@d, 2026-12-24T00:00:00Z.")
@click.option("--reason", default="", help="Why.")
def add(
    lake_path: LakePlace,
    state_place: str | None,
    detection: str,
    fields: Sequence[str],
    period: str,
    until: str,
    reason: str,
) -> None:
    """Add a suppression; without --for or --until it holds until it is removed."""
    if period and until:
        raise click.UsageError("give --for or --until")
    now = time.time()
    expires = parse_bound("--until", until, now)
    if period:
        expires = now + _read_period(period)
    conditions = dict(map(_read_field, fields))
    with open_state(state_place, lake_path) as state:
        number = add_suppression(
            state,
            detection=detection,
            fields=conditions,
            reason=reason,
            now=now,
            expires=expires,
        )
    sys.stdout.write(dump_json({"id": number}) + "\n")


def _read_period(text: str) -> int:
    period = _PERIOD.fullmatch(text.strip())
    if period is None:
        raise EscudoError("SCH007", f"--for: {text!r} is no period such as 12h or 7d")
    return int(period[1]) * _SECONDS[period[2]]


def _read_field(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise EscudoError("SCH007", f"--field: {text!r} is no NAME=VALUE")
    return name.strip(), value


@command.command("list")
@lake_option(required=True, existing=True)
@state_option
@format_option()
def list_all(lake_path: LakePlace, state_place: str | None, format_: str | None) -> None:
    """List suppressions, those that are over, too."""
    now = time.time()
    with open_state(state_place, lake_path) as state:
        every = list_suppressions(state)
    rows: list[dict[str, Any]] = [
        {
            "id": s.id,
            "detection": s.detection or None,
            "fields": dict(s.fields),
            "reason": s.reason,
            "created": iso_utc(s.created),
            "expires": None if s.expires is None else iso_utc(s.expires),
            "over": s.is_over(now),
        }
        for s in every
    ]
    write_rows(rows, _FIELDS, choose_format(format_))


@command.command()
@lake_option(required=True, existing=True)
@state_option
@click.argument("number", type=click.IntRange(1, 2**31 - 1))
def remove(lake_path: LakePlace, state_place: str | None, number: int) -> None:
    """Remove the suppression of a NUMBER."""
    with open_state(state_place, lake_path) as state:
        remove_suppression(state, number)
