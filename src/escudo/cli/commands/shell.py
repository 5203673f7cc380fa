"""``escudo shell``: searches over a lake, one after the other, with a warm engine."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import click
from platformdirs import user_data_path

from escudo import startup
from escudo.actions.check_search import check_search
from escudo.actions.complete_search import gather_names
from escudo.actions.engines import EngineChoice
from escudo.actions.search import SearchOptions
from escudo.actions.workspace import Workspace
from escudo.cli.options import (
    content_options,
    engine_options,
    lake_option,
    load_content,
    parse_time_range,
    rights_options,
    sources_option,
    time_options,
)
from escudo.cli.search_view import Showing, showing_options
from escudo.cli.shell.input_text import split_script
from escudo.cli.shell.session import Session, Settings
from escudo.cli.terminal import escape_controls, open_stderr
from escudo.content import Content
from escudo.core.catalog import Catalog
from escudo.core.errors import Diagnostic, EscudoError
from escudo.core.faults import explain_fault
from escudo.core.interrupts import PromptHandler, is_stopping
from escudo.engines.execute import Engine
from escudo.lake import Lake
from escudo.lake.place import LakePlace
from escudo.lake.tables import Tables


@click.command()
@lake_option(required=True)
@sources_option
@content_options
@time_options
@engine_options
@rights_options
@showing_options(one_search=False)
def command(
    lake_path: LakePlace,
    tables: Tables,
    content_paths: Sequence[Path],
    overlay: Path | None,
    earliest: str,
    latest: str,
    engine: EngineChoice,
    rights: SearchOptions,
    showing: Showing,
) -> None:
    """Search a lake at a prompt; `.help` lists what else it can do.

    From a pipe it reads a search a line (further lines while brackets, quotes or a pipe are open),
    and writes rows as `search` does; the exit code is 1 if one of them failed.
    """
    now = time.time()
    within = parse_time_range(earliest, latest, now, showing.zone)
    folder = find_user_folder()
    saved = folder / "saved"

    def load() -> Content:
        """The content, with the user's saved searches over it."""
        own = [saved] if (saved / "macros").is_dir() else []
        return load_content([*content_paths, *own], overlay)

    with Lake.open(lake_path, create=False, tables=tables) as lake:
        workspace = Workspace(
            content=load(),
            lake=lake,
            engine_of=_WarmEngines(engine),
            now=now,
            within=within,
        )
        session = Session(
            workspace,
            Settings(showing, earliest, latest),
            saved=saved,
            reload=load,
            rights=rights,
        )
        if sys.stdin.isatty():
            _converse(session, folder / "history")
        elif not _run_script(session, sys.stdin.read().splitlines()):
            sys.exit(1)


def find_user_folder() -> Path:
    """Where history and saved searches are: the folder that ``ESCUDO_DATA`` names, or ``escudo`` in
    the user's own data folder."""
    named = os.environ.get("ESCUDO_DATA")
    return Path(named) if named else user_data_path("escudo")


class _WarmEngines:
    """Engines that know what the one before them knew of files."""

    def __init__(self, choice: EngineChoice) -> None:
        self._make = choice.make()
        self._first: Engine | None = None

    def __call__(self, catalog: Catalog) -> Engine:
        if self._first is None:
            self._first = self._make(catalog)
        return self._first.over(catalog)


def _converse(session: Session, history: Path) -> None:
    """Reads and does until the user leaves. What fails is told; Ctrl-C stops what runs."""
    prompts = import_module("escudo.cli.shell.prompt")
    interrupts = startup.free_interrupts()

    def check(text: str) -> tuple[Diagnostic, ...]:
        try:
            return check_search(text, session.at_now())
        except EscudoError as error:
            return (error.diagnostic,)

    def describe() -> str:
        settings = session.settings
        times = f"{settings.earliest or 'all time'} {settings.latest}".strip()
        return f"{session.workspace.lake.place}  {times}  {settings.showing.zone}  .help"

    def gather() -> object:
        workspace = session.workspace
        return gather_names(workspace.lake.snapshot(), workspace.knowledge)

    prompt = prompts.Prompt(history, check=check, gather=gather, status=describe)
    try:
        while not session.ended:
            try:
                text = prompt.read()
                interrupts.came = False
                if attempt(session, text, interrupts=interrupts):
                    prompt.refresh_names()
            except KeyboardInterrupt:
                if is_stopping():
                    raise
            except EOFError:
                break
    finally:
        prompt.end()


def attempt(
    session: Session, text: str, *, place: str = "", interrupts: PromptHandler | None = None
) -> bool:
    """Whether a line could be done; what was wrong is told.

    Args:
        place: where the line is, for messages.
        interrupts: knows of Ctrl-C, which stops the line alone; DuckDB and others raise what they
            like when it comes.
    """
    try:
        session.handle(text)
    except BrokenPipeError:
        raise
    except (Exception, KeyboardInterrupt) as error:
        if is_stopping():
            raise
        if isinstance(error, KeyboardInterrupt) or (interrupts is not None and interrupts.came):
            _complain("stopped")
        else:
            _complain(f"{place}{explain_fault(error).render()}")
        return False
    return True


def _run_script(session: Session, lines: list[str]) -> bool:
    """Does every line of a script, those after one that failed, too; whether all could be done."""
    done = True
    for number, text in split_script(lines):
        done = attempt(session, text, place=f"line {number}: ") and done
        sys.stdout.flush()
        if session.ended:
            break
    return done


def _complain(text: str) -> None:
    open_stderr().print(escape_controls(text))
