"""The command line: thin commands over the packages to the left."""

from __future__ import annotations

import gc
import sys
from collections.abc import Mapping
from importlib import import_module

import click

from escudo import __version__
from escudo.core.errors import EscudoError

EXIT_INPUT = 1
"""Part of the input was rejected, or a detection failed; the rest was done."""

COMMANDS: Mapping[str, str] = {
    "hunt": "Read logs, run detections over them, report what they find.",
    "ingest": "Read logs into a lasting lake.",
    "search": "Run SPL over a lake.",
    "baseline": "Run baselines: what they learn from a lake stays in it, for detections.",
    "lake": "Look at a lake, compact it, expire old data.",
    "validate": "Check that every search of a content folder runs.",
    "explain": "Show what a search becomes, reads and costs.",
    "lint": "Say what in SPL is hardly what its author meant.",
    "format": "Lay SPL out for reading, one command a line.",
    "why": "Show which conditions of a detection an event meets, and which it fails.",
    "generate": "Write realistic logs with attacks hidden in them.",
    "demo": "Generate a Windows day with a WMI attack, hunt it, show everything.",
}
"""Each is `commands/<name>.py` with a click command of that name."""


class _LazyGroup(click.Group):
    """Imports a command's module only when it is asked for, so that `--help` is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        # What is imported stays: to look for garbage in it takes a tenth of the start.
        gc.disable()
        try:
            module = import_module(f"escudo.cli.commands.{cmd_name.replace('-', '_')}")
        finally:
            gc.enable()
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="escudo")
def cli() -> None:
    """Run Splunk's detections without Splunk."""


def main() -> None:
    """The console script. A coded error is printed on stderr and the exit code is 1; a wrong
    command line gives 2, as everywhere."""
    try:
        cli(prog_name="escudo")
    except EscudoError as error:
        click.echo(error.diagnostic.render(), err=True)
        sys.exit(EXIT_INPUT)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(EXIT_INPUT)
