"""``escudo config``: the settings in force, and where each is from."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click
from platformdirs import user_config_path

from escudo.cli.json_text import dump_json
from escudo.cli.output import choose_format, format_option
from escudo.cli.settings import PROJECT_FILE, SETTINGS, Settings, list_rows
from escudo.cli.terminal import escape_line, open_console

_FORMATS = ("table", "json")


@click.command()
@click.option("--path", "only_files", is_flag=True, help="Only the files, one a line.")
@format_option(_FORMATS)
@click.pass_context
def command(context: click.Context, /, only_files: bool, format_: str | None) -> None:
    """Show the settings in force, and where each is from: a file, a variable, Escudo's default.

    What the command line says goes before the environment, that before escudo.toml of the folder
    one is in, that before the user's own file. --path names the files that were read; without any,
    those that would be.
    """
    settings: Settings = context.meta[SETTINGS]
    if only_files:
        files = settings.files or (user_config_path("escudo") / "config.toml", PROJECT_FILE)
        for file in files:
            click.echo(escape_line(str(file)))
        return
    rows = list_rows(settings)
    if choose_format(format_, _FORMATS) != "table":
        sys.stdout.write(dump_json(rows, indent=True) + "\n")
        return
    out = open_console()
    width = max(len(row["key"]) for row in rows)
    for row in rows:
        out.print(f"{row['key']:<{width}}  {_show(row)}")


def _show(row: Mapping[str, Any]) -> str:
    value = row["value"]
    if value is None:
        return f"-  ({row['option']}, ${row['variable']})"
    shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"{shown}  ({row['source']})"
