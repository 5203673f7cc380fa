"""``escudo demo``: a generated Windows day with a WMI attack in it, hunted before your eyes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path

import click
from rich.console import Console

from escudo.actions.demo import DemoFollower, run_demo
from escudo.cli.context_view import show_context
from escudo.cli.hunt_progress import HuntProgress
from escudo.cli.hunt_view import show_run, summarize_hunt
from escudo.cli.place_type import PlaceType
from escudo.cli.progress import count_items
from escudo.cli.terminal import open_console
from escudo.generate.answers import Answers

_EVENTS = 50_000
_ROWS_A_DETECTION = 10


@click.command()
@click.option("--events", default=_EVENTS, show_default=True, help="How long the day is.")
@click.option("--seed", default=1, show_default=True, help="Another seed, another day.")
@click.option("--serve", is_flag=True, help="Serve the day's findings to a browser.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Port of --serve; 0: any free one.",
)
@click.option(
    "--lake",
    "lake_path",
    type=PlaceType("lake", file_okay=False),
    help="Folder of --serve that is kept; one that is there is served as it is.",
)
@click.pass_context
def command(
    context: click.Context,
    /,
    events: int,
    seed: int,
    serve: bool,
    port: int,
    lake_path: Path | None,
) -> None:
    """Generate a Windows day with attacks hidden in it, hunt it, and show what an analyst sees:
    findings, risk, ATT&CK, the process tree around a hit, and its drilldowns."""
    out = open_console()
    if serve:
        serve_demo = import_module("escudo.cli.demo_server").serve_demo
        serve_demo(context, events, seed, _DemoProgress(out), port=port, lake_path=lake_path)
        return
    demo = run_demo(events, seed, _DemoProgress(out))
    hunt = demo.hunt.hunt
    show_run(hunt, demo.hunt.ingested.report, out, most_rows=_ROWS_A_DETECTION)
    show_context(demo.context, out, title="Processes around the riskiest hit (marked *)")
    out.print()
    out.print(summarize_hunt(hunt))
    for score in demo.scores:
        out.print(
            f"{score.detection}: {score.found} of {score.planted} planted processes found, "
            f"{score.others} others reported."
        )


class _DemoProgress(HuntProgress, DemoFollower):
    def __init__(self, out: Console) -> None:
        super().__init__()
        self._out = out

    def follow_generation(
        self, events: int
    ) -> AbstractContextManager[Callable[[int, int], None] | None]:
        return count_items(events, "generating a day of Sysmon events")

    def tell_generated(self, answers: Answers, size: int) -> None:
        self._out.print(
            f"Generated {answers.events:,} Sysmon events of {answers.hosts} hosts, "
            f"{size / 1e6:,.0f} MB of event XML.\n"
        )
