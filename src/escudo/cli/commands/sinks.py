"""``escudo sinks``: try a sink, send again what one did not take."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from escudo.actions.redelivery import redeliver
from escudo.cli import EXIT_INPUT
from escudo.cli.sink_options import open_sinks, sink_option
from escudo.cli.terminal import escape_line, open_stderr
from escudo.core.timerange import iso_utc
from escudo.sinks.dispatch import send_safely


@click.group()
def command() -> None:
    """Try a sink, send again what one did not take."""


@command.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@sink_option(required=True)
def retry(file: Path, sinks: tuple[str, ...]) -> None:
    """Send the dead letters of FILE again, each to the --sink that it is for.

    What is not taken stays in the file; the exit code is 1 then.
    """
    opened = open_sinks(sinks)
    try:
        done = redeliver(file, opened)
    finally:
        for sink in opened:
            sink.close()
    for reason in done.reasons:
        open_stderr().print(escape_line(f"error[SNK006]: {reason}"))
    open_stderr().print(f"{done.sent:,} findings sent, {done.failed:,} not taken")
    if done.left:
        open_stderr().print(f"error[SNK006]: {done.left:,} are for other sinks")
    if done.failed or done.left:
        sys.exit(EXIT_INPUT)


@command.command("test")
@sink_option(required=True)
def try_sinks(sinks: tuple[str, ...]) -> None:
    """Send a finding that says it is a test to each sink. The exit code is 1 where one refuses."""
    finding = {
        "finding_id": f"test-{time.time_ns()}",
        "detection": "Escudo test finding",
        "detection_id": "00000000-0000-0000-0000-000000000000",
        "detection_type": "TTP",
        "search_name": "Escudo test finding",
        "_time": iso_utc(time.time()),
        "severity": "informational",
        "message": "This is a test: findings of Escudo arrive here.",
        "row": {},
    }
    failed = False
    for sink in open_sinks(sinks):
        delivery, _ = send_safely(sink, [finding])
        sink.close()
        for failure in delivery.failures:
            failed = True
            open_stderr().print(escape_line(f"error[SNK006]: {sink.name}: {failure.reason}"))
        if delivery.complete:
            open_stderr().print(escape_line(f"{sink.name}: taken"))
    if failed:
        sys.exit(EXIT_INPUT)
