"""``escudo lint``: what is legal SPL and yet hardly what its author meant."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from escudo.actions.lint import lint_searches
from escudo.actions.named_search import list_content
from escudo.cli import EXIT_INPUT
from escudo.cli.json_text import dump_json
from escudo.cli.options import (
    content_options,
    count_told,
    lake_option,
    load_content,
    open_lake,
    read_searches,
    sources_option,
)
from escudo.cli.output import choose_format, format_option
from escudo.cli.sarif import build_sarif
from escudo.cli.terminal import open_console
from escudo.content import Content
from escudo.content.codes import CODES as CONTENT_CODES
from escudo.core.errors import Diagnostic, Severity
from escudo.lake.place import LakePlace
from escudo.lake.tables import Tables
from escudo.spl import CODES

_FORMATS = ("text", "json", "sarif")


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="SEARCH...")
@lake_option(
    required=False,
    existing=True,
    text="Check against what this lake holds [default: the schemas alone].",
)
@sources_option
@content_options
@click.option("--strict", is_flag=True, help="Warnings fail, too.")
@format_option(_FORMATS)
def command(
    targets: Sequence[str],
    lake_path: LakePlace | None,
    tables: Tables,
    content_paths: Sequence[Path],
    overlay: Path | None,
    strict: bool,
    format_: str | None,
) -> None:
    """Check SEARCH (SPL, a file of SPL, YAML files or folders of content, a detection's name).

    The exit code is 1 if there is an error, with --strict also if there is a warning.
    """
    own = list_content(targets)
    content = load_content([*content_paths, *own], overlay)
    with open_lake(lake_path, tables) as lake:
        searches = [search for t in targets for search in read_searches(t, content)]
        findings = list(lint_searches(searches, lake.snapshot(), content.knowledge))
    findings = [*_of_files(content, own), *findings]
    shape = choose_format(format_, _FORMATS)
    if shape == "sarif":
        sys.stdout.write(dump_json(build_sarif(findings, {**CODES, **CONTENT_CODES})) + "\n")
    elif shape == "json":
        for diagnostic in findings:
            sys.stdout.write(dump_json(_row(diagnostic)) + "\n")
    else:
        out = open_console()
        for diagnostic in findings:
            out.print(diagnostic.render())
        errors = sum(d.severity is Severity.ERROR for d in findings)
        out.print(f"{errors:,} errors, {count_told(findings)}")
    fails = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    if any(d.severity in fails for d in findings):
        sys.exit(EXIT_INPUT)


def _of_files(content: Content, own: Sequence[Path]) -> list[Diagnostic]:
    """What loading has found in some files and folders; errors are shown as they are loaded."""
    return [
        d
        for d in content.diagnostics
        if d.severity is Severity.WARNING
        and d.span is not None
        and any(Path(d.span.file or "").is_relative_to(path) for path in own)
    ]


def _row(diagnostic: Diagnostic) -> dict[str, object]:
    span = diagnostic.span
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "file": span.file if span else None,
        "line": span.line if span else None,
        "column": span.column if span else None,
        "message": diagnostic.message,
        "hint": diagnostic.hint,
    }
