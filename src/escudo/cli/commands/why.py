"""``escudo why``: which conditions of a detection an event meets, and which one it fails."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from escudo.actions.engines import make_engines
from escudo.actions.named_search import find_detection, list_content
from escudo.actions.why import explain_event, explain_nearest
from escudo.actions.workspace import Workspace
from escudo.cli.json_text import dump_json
from escudo.cli.options import (
    content_options,
    lake_option,
    load_content,
    open_lake,
    parse_time_range,
    read_searches,
    sources_option,
    tell_disabled,
    time_options,
)
from escudo.cli.output import choose_format, format_option
from escudo.cli.progress import show_diagnostics
from escudo.cli.terminal import open_console
from escudo.cli.why_view import show_explanation, to_dict
from escudo.detect.one_event import parse_event
from escudo.detect.why import Explanation
from escudo.lake.place import LakePlace
from escudo.lake.tables import Tables

_FORMATS = ("text", "json")


@click.command()
@click.argument("detection")
@click.option(
    "--event",
    metavar="ID|JSON|-",
    help="An event: its _event_id in the lake, its fields as a JSON object, or - for JSON on "
    "standard input.",
)
@click.option("--near", type=click.IntRange(min=1), help="The N nearest misses in the lake.")
@lake_option(required=False, existing=True)
@sources_option
@content_options
@time_options
@format_option(_FORMATS)
def command(
    detection: str,
    event: str | None,
    near: int | None,
    lake_path: LakePlace | None,
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
    content = load_content([*content_paths, *list_content([detection])], overlay)
    within = parse_time_range(earliest, latest, now)
    text = sys.stdin.read() if event == "-" else event
    explained: list[tuple[str, Explanation]] = []
    with open_lake(lake_path, tables) as lake:
        workspace = Workspace(
            content=content, lake=lake, engine_of=make_engines("duckdb"), now=now, within=within
        )
        if detection == "-":
            searches = read_searches(detection, content)
        else:
            searches = tell_disabled(find_detection(detection, content))
        if text is None:
            explanations = explain_nearest(searches, workspace, near or 1)
        else:
            asked = int(text) if in_lake else parse_event(text)
            explanations = explain_event(searches, workspace, asked)
        for search, explanation in explanations:
            show_diagnostics(explanation.diagnostics)
            explained.append((search.name, explanation))
    shape = choose_format(format_, _FORMATS)
    if shape == "json":
        shown = [to_dict(name, explanation) for name, explanation in explained]
        sys.stdout.write(dump_json(shown, indent=True) + "\n")
        return
    out = open_console()
    for name, explanation in explained:
        show_explanation(name, explanation, out)
