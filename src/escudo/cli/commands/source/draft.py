"""``escudo source new``: a draft of a source by a file of its logs."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import click

from escudo.actions.draft_source import SAMPLE_BYTES, draft_source
from escudo.cli.place_type import PlaceType
from escudo.core.errors import EscudoError


@click.command()
@click.argument("logfile", type=PlaceType("log", exists=True, dir_okay=False))
@click.option("--name", help="The source's name [default: after the file].")
@click.option(
    "--out",
    type=PlaceType("source", dir_okay=False),
    help="Where the YAML goes; not over a file that is there [default: standard output].",
)
def command(logfile: Path, name: str | None, out: Path | None) -> None:
    """Draft the YAML of a source from LOGFILE.

    It has the form of the lines, the fields seen with their types, what looks like a time, and, as
    a comment, which fields of the data models they may be. Complete it, then run its samples with
    `escudo source test`.
    """
    with logfile.open("rb") as stream:
        data = stream.read(SAMPLE_BYTES)
    chosen = name or re.sub(r"\W+", "_", logfile.name.split(".")[0].lower()).strip("_") or "own"
    if not re.match("[a-z]", chosen):
        chosen = f"own_{chosen}"
    draft = draft_source(data, name=chosen, latest=time.time())
    if out is None:
        sys.stdout.write(draft.text)
        return
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(draft.text)
    except OSError as error:
        raise EscudoError("SRC057", f"{out}: {error.strerror}") from error
    click.echo(
        f"{out}: {draft.form}, {len(draft.fields)} fields in {draft.events:,} events", err=True
    )
