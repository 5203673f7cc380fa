"""``escudo format``: SPL laid out for reading."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from escudo.cli.options import content_options, load_content, read_searches
from escudo.cli.terminal import escape_controls
from escudo.spl import format_text


@click.command()
@click.argument("search")
@content_options
def command(search: str, content_paths: Sequence[Path], overlay: Path | None) -> None:
    """Print SEARCH (SPL, a file, a detection's name, - for stdin) one command a line.

    Macros stay as they are written; what is printed means the same as what was given.
    """
    searches = read_searches(search, load_content(content_paths, overlay))
    for n, named in enumerate(searches):
        if len(searches) > 1:
            click.echo(("\n" if n else "") + _show(f"``` {named.name} ```"))
        click.echo(_show(format_text(named.text)))


def _show(text: str) -> str:
    """The text as it is for a file or a pipe, escaped for a terminal."""
    return escape_controls(text) if sys.stdout.isatty() else text
