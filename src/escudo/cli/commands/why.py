"""``escudo why``: which conditions of a detection an event meets, and which one it fails."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click
import orjson

from escudo.cli.options import (
    content_options,
    duckdb_engine,
    load_content,
    open_lake,
    sources_option,
    time_options,
    time_range,
)
from escudo.cli.output import console
from escudo.cli.progress import show
from escudo.cli.searches import NamedSearch, searches
from escudo.cli.why_view import show_explanation, to_dict
from escudo.content import Content
from escudo.content.positions import relocate
from escudo.core.catalog import Catalog, Knowledge
from escudo.core.errors import Diagnostic, Severity
from escudo.core.timerange import TimeRange
from escudo.detect.one_event import EVENT_ID, OneEvent, parse_event
from escudo.detect.why import Explanation, Why
from escudo.lake.knowledge import LakeKnowledge
from escudo.lake.tables import Tables


@click.command()
@click.argument("detection")
@click.option(
    "--event",
    metavar="ID|JSON|-",
    help="An event: its _event_id in the lake, its fields as a JSON object, or - for JSON on "
    "standard input.",
)
@click.option("--near", type=click.IntRange(min=1), help="The N nearest misses in the lake.")
@click.option(
    "--lake",
    "lake_path",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder of the lake.",
)
@sources_option
@content_options
@time_options
@click.option(
    "--format",
    "format_",
    type=click.Choice(("text", "json")),
    help="text or json [default: text on a terminal, json in a pipe]",
)
def command(
    detection: str,
    event: str | None,
    near: int | None,
    lake_path: Path | None,
    tables: Tables,
    content_paths: Sequence[Path],
    overlay: Path | None,
    earliest: str,
    latest: str,
    format_: str | None,
) -> None:
    """Show which conditions of DETECTION an event meets and which it fails, in the search's own
    words.

    DETECTION is a detection's name or id, a YAML file, a file of SPL, or SPL. With --event it is
    one event that is looked at, with --near the N events (or rows further down the pipeline) of
    the lake that fail the fewest conditions, but at least one; --earliest and --latest bound them.
    """
    if (event is None) == (near is None):
        raise click.UsageError("give one of --event and --near")
    in_lake = event is None or event.strip().isdigit()
    if in_lake and lake_path is None:
        raise click.UsageError("give the lake of the events with --lake")
    now = time.time()
    content = load_content(content_paths, overlay)
    within = time_range(earliest, latest, now)
    text = sys.stdin.read() if event == "-" else event
    with open_lake(lake_path, tables) as lake:
        knowledge = LakeKnowledge(content.knowledge, lake.artifacts)
        asked = _named(detection, content)
        explained = list(_explain(asked, knowledge, lake.snapshot(), text, near, within, now))
    shape = format_ or ("text" if sys.stdout.isatty() else "json")
    if shape == "json":
        found = [to_dict(named.name, explanation) for named, explanation in explained]
        sys.stdout.write(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode() + "\n")
        return
    out = console()
    for named, explanation in explained:
        show_explanation(named.name, explanation, out)


def _named(argument: str, content: Content) -> list[NamedSearch]:
    """A detection by name or id, else what ``searches`` makes of the argument."""
    if argument == "-" or any(c in argument for c in '|=`"') or Path(argument).exists():
        return searches(argument, content)
    found = content.detection(argument)
    return [NamedSearch(found.name, found.search, found.origin.file, found.origin.search)]


def _explain(
    found: Sequence[NamedSearch],
    knowledge: Knowledge,
    catalog: Catalog,
    event: str | None,
    near: int | None,
    within: TimeRange,
    now: float,
) -> Iterator[tuple[NamedSearch, Explanation]]:
    engine = duckdb_engine(None)
    for named in found:

        def why(catalog: Catalog, named: NamedSearch = named) -> Why:
            return Why(
                named.text,
                engine(catalog),
                catalog,
                knowledge,
                now=now,
                within=within,
                file=named.file,
            )

        if event is None:
            explanation = why(catalog).near(near or 1)
        elif event.strip().isdigit():
            explanation = why(catalog).event(int(event))
        else:
            with tempfile.TemporaryDirectory(prefix="escudo-event-") as folder:
                one = OneEvent(catalog, parse_event(event), Path(folder), now=now)
                explanation = why(one).event(EVENT_ID)
                explanation = replace(
                    explanation, diagnostics=(*explanation.diagnostics, *_unknown(one))
                )
        show([relocate(d, named.text) for d in explanation.diagnostics])
        yield named, explanation


def _unknown(one: OneEvent) -> Iterator[Diagnostic]:
    for table, names in one.unknown.items():
        fields = ", ".join(names)
        yield Diagnostic("DET203", f"{table} has no field {fields}", Severity.WARNING)
