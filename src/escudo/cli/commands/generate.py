"""``escudo generate``: realistic logs with attacks hidden in them."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import click

from escudo.cli.progress import count_items
from escudo.cli.terminal import open_stderr
from escudo.generate.generate import DEFAULT_START, FORMAT_NAMES, generate


@click.command()
@click.option("--events", default=100_000, show_default=True, help="How many events.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same log.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMAT_NAMES),
    default="xml",
    show_default=True,
    help="Of a Windows estate: Sysmon event XML, EVTX-dump JSON, Security 4688 XML, CrowdStrike "
    "FDR JSON. Others: AWS CloudTrail, Office 365, Entra ID, Linux audit, Suricata's eve.json, a "
    "web server's access log.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    required=True,
    help="The log; - is standard output.",
)
@click.option(
    "--answers",
    type=click.Path(path_type=Path, dir_okay=False),
    help="What was planted, as JSON [default: beside the log, .answers.json].",
)
@click.option(
    "--start",
    type=click.DateTime(),
    default=None,
    help=f"First moment in UTC [default: {DEFAULT_START:%Y-%m-%d}].",
)
@click.option(
    "--hosts",
    type=click.IntRange(min=1),
    help="How many hosts, or people [default: by events].",
)
@click.option("--attacks/--no-attacks", default=True, help="Whether attacks are planted.")
@click.option("--quiet", is_flag=True, help="No progress.")
def command(
    events: int,
    seed: int,
    format_: str,
    out: Path,
    answers: Path | None,
    start: datetime | None,
    hosts: int | None,
    attacks: bool,
    quiet: bool,
) -> None:
    """Write a log of --events events: hosts, users, sessions, process trees, admin work, updates,
    or what people and programs do in a cloud, a network, on web servers and Linux. Attacks are
    among them, with an answer file that says which events those are; --no-attacks leaves them
    out."""
    begun = time.monotonic()
    to_stdout = str(out) == "-"
    with count_items(events, "generating", quiet=quiet) as progress:
        planted = generate(
            events,
            seed,
            format_,
            sys.stdout.buffer if to_stdout else out,
            start=start.replace(tzinfo=UTC) if start is not None else DEFAULT_START,
            hosts=hosts,
            attacks=attacks,
            progress=progress,
        )
    if answers is None and not to_stdout:
        answers = out.with_name(out.name + ".answers.json")
    if answers is not None:
        answers.write_bytes(planted.to_json())
    if not quiet:
        seconds = time.monotonic() - begun
        where = f", answers in {answers}" if answers is not None else ""
        open_stderr().print(
            f"wrote {events:,} events to {'standard output' if to_stdout else out}{where}: "
            f"{events / seconds:,.0f}/s",
        )
