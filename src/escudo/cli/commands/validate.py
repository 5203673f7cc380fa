"""``escudo validate``: does every search of a content folder run?"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click
from rich.console import Console

from escudo import content as contents
from escudo.actions.engines import make_engines
from escudo.actions.validate import Validation, validate_content
from escudo.actions.workspace import Workspace
from escudo.cli import EXIT_INPUT
from escudo.cli.content_type import ContentType
from escudo.cli.json_text import dump_json
from escudo.cli.options import count_told, lake_option, open_lake, sources_option
from escudo.cli.output import choose_format, format_option
from escudo.cli.place_type import PlaceType
from escudo.cli.progress import follow_items
from escudo.cli.terminal import open_console
from escudo.lake.tables import Tables
from escudo.startup import spare_collections

_SHOWN = 50

_FORMATS = ("table", "json")


@click.command()
@click.argument("folders", nargs=-1, required=True, type=ContentType(exists=True))
@click.option("--overlay", type=PlaceType("content", exists=True), help="Local changes.")
@lake_option(required=False, existing=True, text="Run over this lake [default: an empty one].")
@sources_option
@click.option("--quiet", is_flag=True, help="No progress.")
@format_option(_FORMATS)
def command(
    folders: Sequence[Path],
    overlay: Path | None,
    lake_path: Path | None,
    tables: Tables,
    quiet: bool,
    format_: str | None,
) -> None:
    """Load FOLDERS of content and run every detection, baseline, investigation and drilldown.

    Nothing is written, whatever the searches ask for (outputlookup, collect, fit ... into).
    The exit code is 1 if a file could not be loaded or a search could not be run.
    """
    begun = time.monotonic()
    content = contents.load(folders, overlay=overlay)
    spare_collections()
    with open_lake(lake_path, tables) as lake:
        workspace = Workspace(
            content=content, lake=lake, engine_of=make_engines("duckdb"), now=time.time()
        )
        follow = partial(follow_items, label="checking searches", quiet=quiet)
        validation = validate_content(workspace, follow=follow)
    shape = choose_format(format_, _FORMATS)
    if shape == "json":
        text = dump_json(validation.to_dict(), indent=True)
        sys.stdout.write(text + "\n")
    else:
        out = open_console()
        _show(validation, out)
        out.print(
            f"{content.files:,} files, {content.failed_files:,} could not be loaded, "
            f"{count_told(content.diagnostics)}; "
            f"{time.monotonic() - begun:.1f} s"
        )
    if validation.failed:
        sys.exit(EXIT_INPUT)


def _show(validation: Validation, out: Console) -> None:
    """What is wrong, and how many searches of each kind run."""
    for diagnostic in validation.bad_files[:_SHOWN]:
        out.print(diagnostic.render())
    for diagnostic in validation.told[:_SHOWN]:
        out.print(diagnostic.render())
    if len(validation.told) > _SHOWN:
        out.print(f"... and {len(validation.told) - _SHOWN:,} more; --format json has all")
    for kind, verdicts in validation.verdicts.items():
        for search, diagnostic in verdicts.failed[:_SHOWN]:
            out.print(f"{search.file}: {search.name}")
            out.print(diagnostic.render())
        out.print(f"{kind}: {verdicts.total - len(verdicts.failed):,} of {verdicts.total:,} run")
