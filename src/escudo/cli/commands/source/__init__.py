"""``escudo source``: the sources of logs, how well they are known, what can be found in them."""

from __future__ import annotations

import click

from escudo.cli.commands.source.check import command as check
from escudo.cli.commands.source.coverage import command as coverage
from escudo.cli.commands.source.draft import command as new
from escudo.cli.commands.source.list import command as list_
from escudo.cli.commands.source.run_samples import command as test


@click.group()
def command() -> None:
    """Look at the sources of logs: what they give, what is missing, which detections they feed."""


command.add_command(check, "check")
command.add_command(coverage, "coverage")
command.add_command(list_, "list")
command.add_command(new, "new")
command.add_command(test, "test")
