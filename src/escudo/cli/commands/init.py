"""``escudo init``: a content repository that validates, tests and builds as it is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import click

from escudo.actions.init_repository import init_repository
from escudo.actions.new_element import find_author
from escudo.authoring.apps.identity import AppIdentity
from escudo.authoring.scaffold.repository import CI_SYSTEMS, FIRST_VERSION, make_appid
from escudo.cli.content_type import FolderType
from escudo.cli.terminal import escape_line


@click.command()
@click.argument("folder", type=FolderType("content"), default=Path())
@click.option("--title", help="Name of the app that it is built into [default: the folder's].")
@click.option("--appid", help="Id of the app [default: from the title].")
@click.option(
    "--label", help="What the names of its saved searches begin with [default: the title]."
)
@click.option("--author", help="Who writes it [default: git's user.name].")
@click.option("--email", default="detections@example.org", show_default=True, help="Of the author.")
@click.option("--company", help="For whom [default: the author].")
@click.option(
    "--ci",
    type=click.Choice((*CI_SYSTEMS, "none")),
    multiple=True,
    default=("github",),
    show_default=True,
    help="A workflow that validates, tests and reports; repeatable.",
)
def command(
    folder: Path,
    title: str | None,
    appid: str | None,
    label: str | None,
    author: str | None,
    email: str,
    company: str | None,
    ci: Sequence[str],
) -> None:
    """Begin a content repository in FOLDER (by default the one one is in).

    It has the folders of content, one example detection with its test, deployments, macros,
    contentctl.yml, a README, and a workflow that validates, tests and reports in SARIF and JUnit.
    Files that are there are not overwritten: then nothing is written.
    """
    named = title or folder.absolute().name or "Detections"
    written_by = author or find_author(folder if folder.is_dir() else Path())
    written_for = company or written_by
    app = AppIdentity(
        title=named,
        appid=appid or make_appid(named),
        version=FIRST_VERSION,
        label=label or named,
        description=f"Detections of {written_for.removesuffix('.')}.",
        author_name=written_by,
        author_email=email,
        author_company=written_for,
    )
    systems = tuple(dict.fromkeys(name for name in ci if name != "none"))
    made = init_repository(folder, app, ci=systems, now=time.time())
    click.echo(escape_line(f"{len(made)} files in {folder.absolute()}"))
    click.echo("next: escudo validate . && escudo test . && escudo new detection")
