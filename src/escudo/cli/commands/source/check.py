"""``escudo source check``: the example logs of data sources, read as any log is."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from pathlib import Path

import click

from escudo import content as contents
from escudo.actions.check_sources import SourceCheck, check_sources
from escudo.actions.engines import make_engines
from escudo.cli import EXIT_INPUT
from escudo.cli.json_text import dump_json
from escudo.cli.options import sources_option
from escudo.cli.output import choose_format, format_option, write_rows
from escudo.cli.place_type import PlaceType
from escudo.cli.progress import show_diagnostics
from escudo.cli.terminal import SafeConsole, open_console
from escudo.lake.tables import Tables

_FORMATS = ("table", "json")


@click.command()
@click.argument("folder", type=PlaceType("data sources", exists=True, file_okay=False))
@sources_option
@format_option(_FORMATS)
def command(folder: Path, tables: Tables, format_: str | None) -> None:
    """Read the example logs of the data sources in FOLDER, and say which fields are missing.

    FOLDER has YAML files of data sources, as `data_sources` of a content repository does. An
    example is read with the source and source type that its file gives, as a test's data is. The
    exit code is 1 if an example that is whole is not recognised, or a file cannot be loaded.
    """
    content = contents.load([folder])
    show_diagnostics(content.diagnostics)
    check = check_sources(content, tables, make_engines("duckdb"))
    if choose_format(format_, _FORMATS) == "json":
        sys.stdout.write(dump_json(check.to_dict(), indent=True) + "\n")
    else:
        _show(check, open_console())
    if check.unread or content.diagnostics:
        sys.exit(EXIT_INPUT)


def _show(check: SourceCheck, out: SafeConsole) -> None:
    whole = check.with_example - len(check.cut)
    share = f" ({check.produced / check.listed:.1%})" if check.listed else ""
    out.print(
        f"{check.sources:,} data sources, {whole:,} with an example that is whole: "
        f"{len(check.recognised):,} are recognised; {check.produced:,} of {check.listed:,} "
        f"fields are found{share}"
    )
    lacking: dict[str, list[str]] = defaultdict(list)
    for missing in check.missing:
        lacking[missing.field].append(missing.source)
    counts = Counter({name: len(sources) for name, sources in lacking.items()})
    if counts:
        rows = [
            {"field": name, "sources": count, "such as": lacking[name][0]}
            for name, count in counts.most_common()
        ]
        write_rows(rows, ("field", "sources", "such as"), "table", title="Fields not found")
    for told, names in (("not recognised", check.unread), ("cut short", check.cut)):
        if names:
            out.print(f"{told}: {', '.join(names)}")
