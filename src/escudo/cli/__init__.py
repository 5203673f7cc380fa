"""The command line -> exit code. A command reads arguments, calls one action, shows the result."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import click
from click.core import ParameterSource
from click.exceptions import NoArgsIsHelpError

from escudo import __version__, startup
from escudo.cli.log_output import begin_log, log_diagnostic, show_log
from escudo.cli.settings import FAILED_CONTENT, SETTINGS, Settings, read_settings
from escudo.cli.terminal import escape_controls
from escudo.core.errors import Diagnostic, EscudoError
from escudo.core.event_log import log_event
from escudo.core.faults import explain_fault
from escudo.core.interrupts import find_stop, is_stopping, meet_stop

EXIT_INPUT = 1
"""Part of the input was rejected, or a detection failed; the rest was done."""

EXIT_BLIND = 3
"""Events came in that no detection can see, since they are in no known form."""

COMMANDS: Mapping[str, str] = {
    "hunt": "Read logs, run detections over them, report what they find.",
    "run": "Run detections over a lake by their schedules, once or as a daemon.",
    "backfill": "Run the windows of a schedule that were missed.",
    "status": "Show what has run by its schedule: windows, gaps, lag, errors.",
    "suppress": "Keep findings from being sent, for a time.",
    "timeline": "Show what detections found, and what was around it, in the order of time.",
    "tree": "Show the processes around one, its ancestors and descendants.",
    "serve": "Serve a lake: HEC and syslog in, REST, schedules, pages for analysts.",
    "user": "Say who may log in to the server.",
    "token": "Make and end the tokens of programs: HEC and API.",
    "follow": "Read logs as they come, and show what detections find in them.",
    "ingest": "Read logs into a lasting lake.",
    "search": "Run SPL over a lake.",
    "shell": "Search a lake at a prompt, with history and completion.",
    "baseline": "Run baselines: what they learn from a lake stays in it, for detections.",
    "lake": "Look at a lake, compact it, expire old data, verify and repair it.",
    "test": "Run the tests of detections, and say why one fails.",
    "sinks": "Try a sink, send again what one did not take.",
    "validate": "Check content: its files, what they refer to, and that every search runs.",
    "explain": "Show what a search becomes, reads and costs.",
    "lint": "Say what in SPL is hardly what its author meant.",
    "format": "Lay SPL out for reading, one command a line.",
    "why": "Show which conditions of a detection an event meets, and which it fails.",
    "new": "Write a detection, macro, lookup, story, baseline or data source.",
    "init": "Begin a content repository, with its tests in a CI workflow.",
    "build": "Build content into a Splunk app.",
    "diff": "Compare two states of content: fields, logic, rows found.",
    "source": "Look at the sources of logs: what is recognised, what can fire on them.",
    "content": "Bring content from elsewhere, pinned, and keep it up to date.",
    "config": "Show the settings in force, and where each is from.",
    "generate": "Write realistic logs with attacks hidden in them.",
    "demo": "Generate a Windows day with a WMI attack, hunt it, show everything.",
}
"""Each is `commands/<name>.py` with a click command of that name."""


_VERBOSE_HELP = "Say on standard error what is done: files read, detections run, commits."
_VERBOSE = click.Option(
    ["-v", "--verbose"],
    is_flag=True,
    expose_value=False,
    callback=lambda _context, _option, asked: show_log() if asked else None,
    help=_VERBOSE_HELP,
)
"""Each command takes it, too: nobody remembers which options go before the command."""


class _LazyGroup(click.Group):
    """Imports a command's module only when it is asked for, so that `--help` is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"escudo.cli.commands.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        parts = command.commands.values() if isinstance(command, click.Group) else ()
        for part in (command, *parts):
            if _VERBOSE not in part.params:
                part.params.append(_VERBOSE)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="escudo")
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    default=None,
    help=_VERBOSE_HELP,
)
@click.option(
    "--log-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it to the end of this file, as JSON lines.",
)
@click.option(
    "--config",
    metavar="FILE",
    help="Configuration (TOML), in place of the user's own and ./escudo.toml.",
)
@click.pass_context
def cli(
    context: click.Context, /, verbose: bool | None, log_file: Path | None, config: str | None
) -> None:
    """Run Splunk's detections without Splunk."""
    settings = read_settings(config, os.environ)
    context.meta[SETTINGS] = settings
    startup.provide_variables(settings.storage)
    begin_log(settings, verbose=verbose, log_file=log_file)
    name = context.invoked_subcommand
    command = cli.get_command(context, name) if name is not None else None
    if name is not None and command is not None:
        context.default_map = {name: settings.defaults(command)}
    log_event("begin", command=name, version=__version__, files=list(map(str, settings.files)))
    # Called once the command's module is imported; who embeds these commands gives nothing.
    if context.obj is not None:
        context.obj()


@cli.result_callback()
@click.pass_context
def _end_command(context: click.Context, /, code: object, **_options: object) -> object:
    """What a command returns; ``EXIT_INPUT`` where that is fine and its content was not."""
    return code or (EXIT_INPUT if context.meta.get(FAILED_CONTENT) else 0)


def main() -> None:
    """The console script. A coded error is printed on stderr and the exit code is 1; a wrong
    command line gives 2, Ctrl-C 130 and SIGTERM 143, as everywhere. No exception leaves it."""
    startup.pause_collections()
    startup.catch_stops()
    if not COMMANDS.keys().isdisjoint(sys.argv):
        startup.spare_pandas()
    begun = time.monotonic()
    try:
        code = _run()
        _log_end(code, begun)
        startup.leave_process(code)
    except (click.Abort, KeyboardInterrupt) as error:
        code = _say_stopped(error)
        _log_end(code, begun)
        startup.end_process(code)


def _run() -> int:
    """The exit code of the command line; Ctrl-C and SIGTERM go through."""
    try:
        code = cli.main(prog_name="escudo", obj=_begin, standalone_mode=False)
    except SystemExit as error:
        code = error.code
    except click.ClickException as error:
        _show_usage(error)
        return error.exit_code
    except EscudoError as error:
        _end_if_stopped(error)
        _complain(error.diagnostic)
        return EXIT_INPUT
    except BrokenPipeError:
        sys.stderr.close()
        return EXIT_INPUT
    except (click.Abort, KeyboardInterrupt):
        raise
    except Exception as error:
        _end_if_stopped(error)
        _complain(explain_fault(error))
        return EXIT_INPUT
    return code if isinstance(code, int) else 0


def _log_end(code: int, begun: float) -> None:
    log_event("end", exit_code=code, seconds=round(time.monotonic() - begun, 3))


def _complain(diagnostic: Diagnostic) -> None:
    _write(diagnostic.render())
    log_diagnostic(diagnostic)


def _write(text: str) -> None:
    click.echo(escape_controls(text), err=True)


def _show_usage(error: click.ClickException) -> None:
    """As click shows it, with what the user gave escaped; the help where nothing was given."""
    if isinstance(error, NoArgsIsHelpError):
        _write(error.format_message())
        return
    if isinstance(error, click.UsageError) and error.ctx is not None:
        _write(error.ctx.get_usage())
    _write(f"Error: {error.format_message()}{_tell_source(error)}")


def _tell_source(error: click.ClickException) -> str:
    """Of a value that is not from the command line: the file or variable that it is from."""
    if not isinstance(error, click.BadParameter) or error.ctx is None or error.param is None:
        return ""
    settings: Settings | None = error.ctx.meta.get(SETTINGS)
    origin = error.ctx.get_parameter_source(error.param.name or "")
    source = settings.find_source(error.param) if settings is not None else None
    return f" (set by {source})" if source and origin is ParameterSource.DEFAULT_MAP else ""


def _end_if_stopped(error: Exception) -> None:
    """Ends the process where a stop is what made a library fail."""
    if is_stopping():
        startup.end_process(_say_stopped(error))


def _say_stopped(error: BaseException) -> int:
    """The exit code of Ctrl-C (130) or SIGTERM (143), which click wraps."""
    meet_stop()
    cause = error.__context__ if isinstance(error, click.Abort) else error
    stopped = find_stop(cause or error)
    _write(f"stopped by {stopped}")
    return stopped.exit_code


def _begin() -> None:
    startup.prepare_process()
    startup.resume_collections()
