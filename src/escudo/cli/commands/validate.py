"""``escudo validate``: does every search of a content folder run?"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click
import orjson

from escudo import content as contents
from escudo.cli import EXIT_INPUT
from escudo.cli.options import duckdb_engine, open_lake, sources_option, spare_collections
from escudo.cli.output import console
from escudo.cli.progress import following
from escudo.cli.validating import candidates, validate
from escudo.core.errors import Severity
from escudo.lake.knowledge import LakeKnowledge
from escudo.lake.tables import Tables

_SHOWN = 50


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--overlay", type=click.Path(exists=True, path_type=Path), help="Local changes.")
@click.option(
    "--lake",
    "lake_path",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Run over this lake [default: an empty one].",
)
@sources_option
@click.option("--quiet", is_flag=True, help="No progress.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(("table", "json")),
    help="table or json [default: table on a terminal, json in a pipe]",
)
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
    searches = list(candidates(content))
    with open_lake(lake_path, tables) as lake:
        snapshot = lake.snapshot()
        verdicts = validate(
            searches,
            LakeKnowledge(content.knowledge, lake.artifacts),
            snapshot,
            duckdb_engine(None)(snapshot),
            now=time.time(),
            follow=following("checking searches", quiet),
        )
    errors = [d for d in content.diagnostics if d.severity is Severity.ERROR]
    shape = format_ or ("table" if sys.stdout.isatty() else "json")
    if shape == "json":
        out = {kind: v.to_dict() for kind, v in verdicts.items()}
        out["files"] = {
            "total": content.files,
            "loaded": content.files - content.failed_files,
            "failed": [
                {
                    "file": d.span.file if d.span else None,
                    "line": d.span.line if d.span else None,
                    "column": d.span.column if d.span else None,
                    "code": d.code,
                    "message": d.message,
                }
                for d in errors
            ],
        }
        sys.stdout.write(orjson.dumps(out, option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        view = console()
        for diagnostic in errors[:_SHOWN]:
            view.print(diagnostic.render(), markup=False)
        for kind, found in verdicts.items():
            for candidate, diagnostic in found.failed[:_SHOWN]:
                view.print(f"{candidate.file}: {candidate.name}", markup=False)
                view.print(diagnostic.render(), markup=False)
            view.print(f"{kind}: {found.total - len(found.failed):,} of {found.total:,} run")
        view.print(
            f"{content.files:,} files, {content.failed_files:,} could not be loaded; "
            f"{time.monotonic() - begun:.1f} s"
        )
    if errors or any(v.failed for v in verdicts.values()):
        sys.exit(EXIT_INPUT)
