"""``escudo source list``: the sources that logs can be of."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from escudo.actions.list_sources import list_sources
from escudo.cim import models
from escudo.cli.json_text import dump_json
from escudo.cli.options import sources_option
from escudo.cli.output import choose_format, format_option, write_rows
from escudo.lake.tables import Tables

_FORMATS = ("table", "json", "csv")


@click.command()
@sources_option
@format_option(_FORMATS)
def command(tables: Tables, format_: str | None) -> None:
    """List the sources: name, title, source type, how their events are written, data models."""
    rows = [asdict(row) for row in list_sources(tables.families, models.load())]
    format_ = choose_format(format_, _FORMATS)
    if format_ == "json":
        sys.stdout.write(dump_json(rows, indent=True) + "\n")
        return
    shown = [{**row, "models": ", ".join(row["models"])} for row in rows]
    write_rows(shown, ("name", "title", "sourcetype", "form", "models"), format_)
