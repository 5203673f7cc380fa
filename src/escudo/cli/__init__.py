"""The command line -> exit code. A command reads arguments, calls one action, shows the result."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module

import click

from escudo import __version__, startup
from escudo.cli.terminal import escape_controls
from escudo.core.errors import EscudoError
from escudo.core.faults import explain_fault
from escudo.core.interrupts import find_stop, is_stopping, meet_stop

EXIT_INPUT = 1
"""Part of the input was rejected, or a detection failed; the rest was done."""

EXIT_BLIND = 3
"""Events came in that no detection can see, since they are in no known form."""

COMMANDS: Mapping[str, str] = {
    "hunt": "Read logs, run detections over them, report what they find.",
    "timeline": "Show what detections found, and what was around it, in the order of time.",
    "tree": "Show the processes around one, its ancestors and descendants.",
    "ingest": "Read logs into a lasting lake.",
    "search": "Run SPL over a lake.",
    "shell": "Search a lake at a prompt, with history and completion.",
    "baseline": "Run baselines: what they learn from a lake stays in it, for detections.",
    "lake": "Look at a lake, compact it, expire old data, verify and repair it.",
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
        module = import_module(f"escudo.cli.commands.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="escudo")
@click.pass_obj
def cli(begin: Callable[[], None] | None) -> None:
    """Run Splunk's detections without Splunk."""
    # Called once the command's module is imported; who embeds these commands gives nothing.
    if begin is not None:
        begin()


def main() -> None:
    """The console script. A coded error is printed on stderr and the exit code is 1; a wrong
    command line gives 2, Ctrl-C 130 and SIGTERM 143, as everywhere. No exception leaves it."""
    startup.pause_collections()
    startup.catch_stops()
    try:
        code = cli.main(prog_name="escudo", obj=_begin, standalone_mode=False)
    except click.ClickException as error:
        _show_usage(error)
        sys.exit(error.exit_code)
    except EscudoError as error:
        _end_if_stopped(error)
        _complain(error.diagnostic.render())
        sys.exit(EXIT_INPUT)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(EXIT_INPUT)
    except (click.Abort, KeyboardInterrupt) as error:
        startup.end_process(_say_stopped(error))
    except Exception as error:
        _end_if_stopped(error)
        diagnostic = explain_fault(error)
        _complain(diagnostic.render())
        sys.exit(EXIT_INPUT)
    sys.exit(code if isinstance(code, int) else 0)


def _complain(text: str) -> None:
    click.echo(escape_controls(text), err=True)


def _show_usage(error: click.ClickException) -> None:
    """As click shows it, with what the user gave escaped."""
    if isinstance(error, click.UsageError) and error.ctx is not None:
        _complain(error.ctx.get_usage())
    _complain(f"Error: {error.format_message()}")


def _end_if_stopped(error: Exception) -> None:
    """Ends the process where a stop is what made a library fail."""
    if is_stopping():
        startup.end_process(_say_stopped(error))


def _say_stopped(error: BaseException) -> int:
    """The exit code of Ctrl-C (130) or SIGTERM (143), which click wraps."""
    meet_stop()
    cause = error.__context__ if isinstance(error, click.Abort) else error
    stopped = find_stop(cause or error)
    _complain(f"stopped by {stopped}")
    return stopped.exit_code


def _begin() -> None:
    startup.prepare_process()
    startup.resume_collections()
