"""``escudo status``: what has run by its schedule, and what has not."""

from __future__ import annotations

import sys
import time

import click

from escudo.cli.json_text import dump_json
from escudo.cli.options import lake_option
from escudo.cli.output import choose_format, format_option
from escudo.cli.schedule_view import describe_status, show_status
from escudo.cli.state_options import open_state, read_now, state_option
from escudo.cli.terminal import open_console
from escudo.lake.place import LakePlace
from escudo.schedule.status import read_status

_FORMATS = ("table", "json")


@click.command()
@lake_option(required=True, existing=True)
@state_option
@click.option("--now", "now_text", default="", help="The time that it is taken to be.")
@format_option(_FORMATS)
def command(
    lake_path: LakePlace, state_place: str | None, now_text: str, format_: str | None
) -> None:
    """Show windows by state, gaps, lag, the last errors, workers, sinks, suppressions.

    A window that was missed is a gap; one whose search failed is told with its error. Neither is
    ever told as done: `escudo backfill` runs both.
    """
    now = read_now(now_text, time.time())
    with open_state(state_place, lake_path) as state:
        status = read_status(state, now=now)
    if choose_format(format_, _FORMATS) == "json":
        sys.stdout.write(dump_json(describe_status(status), indent=True) + "\n")
    else:
        show_status(status, open_console())
