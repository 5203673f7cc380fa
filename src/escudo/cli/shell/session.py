"""A line -> what it asks for: a search is run and shown, a command of the shell is obeyed. The
engine, the content and the lake stay open from one to the next; called by ``escudo shell``."""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from escudo.actions import inspect_lake
from escudo.actions.saved_searches import save_search
from escudo.actions.search import SearchOptions, search_lake
from escudo.actions.workspace import Workspace
from escudo.cli.chart_file import CHART_SUFFIXES
from escudo.cli.options import parse_time_range
from escudo.cli.output import FORMATS, write_rows
from escudo.cli.pager import open_paged
from escudo.cli.progress import show_changes, show_diagnostics, show_waiting
from escudo.cli.row_view import Layout, show_rows
from escudo.cli.search_view import ROW_SUFFIXES, Showing, find_suffix, show_found
from escudo.cli.terminal import escape_line, open_stderr
from escudo.cli.zone_names import find_zone
from escudo.content import Content
from escudo.core.errors import EscudoError
from escudo.core.whole_file import check_place
from escudo.lake import Snapshot


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for the searches that follow: the time range as it was given, and how rows are
    shown."""

    showing: Showing
    earliest: str = ""
    latest: str = ""


class Session:
    """One shell over a lake.

    Args:
        workspace: its clock is set anew for each search.
        reload: loads the content again, after a search was saved.
        saved: the folder of content that ``.save`` writes to.
        rights: what searches may do besides finding; the rest of it is not looked at.
    """

    def __init__(
        self,
        workspace: Workspace,
        settings: Settings,
        *,
        saved: Path,
        reload: Callable[[], Content],
        rights: SearchOptions,
    ) -> None:
        self.workspace = workspace
        self.settings = settings
        self.ended = False
        self._last: str | None = None
        self._last_wrote = False
        self._saved = saved
        self._reload = reload
        self._rights = rights

    def handle(self, text: str) -> None:
        """Does what a search or a command of the shell asks for.

        Raises:
            EscudoError: what is wrong with it.
        """
        text = text.strip()
        if not text:
            return
        if text.startswith("."):
            name, _, rest = text[1:].partition(" ")
            self._find_command(name)(self, rest.strip())
            return
        showing, self.settings = self.settings.showing, self._without_output()
        self._last_wrote = self._search(text, showing)
        self._last = text

    def at_now(self) -> Workspace:
        """The workspace at this time, with the time range of ``.time``.

        Raises:
            EscudoError: CLI003 for a range that cannot be read.
        """
        now = time.time()
        zone = self.settings.showing.zone
        within = parse_time_range(self.settings.earliest, self.settings.latest, now, zone)
        return replace(self.workspace, now=now, within=within, zone=zone)

    def _without_output(self) -> Settings:
        """The settings of the search after one whose rows go to a file."""
        return replace(self.settings, showing=self._change(output=None))

    def _search(self, text: str, showing: Showing) -> bool:
        """Runs a search and shows its rows; whether it wrote something."""
        begun = time.monotonic()
        with show_waiting("searching (Ctrl-C stops it)"):
            options = showing.limit(self._rights)
            found = search_lake(text, self.at_now(), options, tell=show_diagnostics)
        show_changes(found.changes)
        seconds = time.monotonic() - begun
        told = show_found(found, text, showing)
        if told is not None:
            open_stderr().print(told.say(seconds))
        return bool(found.changes)

    def _search_again(self, **changes: object) -> None:
        """Shows the rows of the last search otherwise; one that wrote is not run once more."""
        text = self._last_search()
        if self._last_wrote:
            raise EscudoError(
                "CLI025",
                "the last search wrote something, and would write it once more",
                hint="type it again, without what writes",
            )
        self._search(text, self._change(**changes))

    def _find_command(self, name: str) -> Callable[[Session, str], None]:
        try:
            return SHELL_COMMANDS[name.lower()].run
        except KeyError:
            near = difflib.get_close_matches(name.lower(), SHELL_COMMANDS, 1)
            hint = f"did you mean .{near[0]}?" if near else ".help lists them"
            raise EscudoError("CLI024", f"no command is named .{name}", hint=hint) from None

    def _list(self, rows: Iterable[inspect_lake.Row], fields: Sequence[str]) -> None:
        showing = self.settings.showing
        if showing.fits_terminal:
            count = 0
            with open_paged(wanted=showing.paged) as console:
                count = show_rows(rows, fields, console, showing.layout or Layout.AUTO)
            if count:
                open_stderr().print(f"{count:,} of them")
        else:
            write_rows(rows, fields, showing.shape)

    def _snapshot(self) -> Snapshot:
        return self.workspace.lake.snapshot()

    def list_fields(self, pattern: str) -> None:
        self._list(inspect_lake.list_fields(self._snapshot(), pattern), ("field", "tables"))

    def list_sources(self, pattern: str) -> None:
        wanted = pattern.replace('"', "")
        wanted = wanted if "*" in wanted else f"*{wanted}*"  # as ``inspect_lake.matches`` does
        condition = f' | search source="{wanted}"'
        self._search(f"{inspect_lake.SOURCES}{condition}", self._without_output().showing)

    def list_models(self, pattern: str) -> None:
        fields = ("dataset", "rows", "fields")
        self._list(inspect_lake.list_models(self._snapshot(), pattern), fields)

    def list_macros(self, pattern: str) -> None:
        rows = inspect_lake.list_macros(self.workspace.knowledge, pattern)
        self._list(rows, ("macro", "definition"))

    def list_lookups(self, pattern: str) -> None:
        rows = inspect_lake.list_lookups(self.workspace.knowledge, pattern)
        self._list(rows, ("lookup", "fields", "rows in"))

    def save(self, name: str) -> None:
        path = save_search(name, self._last_search(), self._saved)
        self.workspace = replace(self.workspace, content=self._reload())
        tell(f"saved as `{name}` in {path}")

    def set_time(self, given: str) -> None:
        if given:
            earliest, _, latest = ("", "", "") if given == "all" else given.partition(" ")
            changed = replace(self.settings, earliest=earliest, latest=latest.strip())
            held, self.settings = self.settings, changed
            try:
                self.at_now()
            except EscudoError:
                self.settings = held
                raise
        earliest, latest = self.settings.earliest, self.settings.latest
        if not earliest and not latest:
            tell("searches look at all time")
        else:
            tell(f"searches look from {earliest or 'the beginning'} until {latest or 'the end'}")

    def set_zone(self, name: str) -> None:
        if name:
            self._show(zone=find_zone(name))
        tell(f"times are those of {self.settings.showing.zone}")

    def set_output(self, given: str) -> None:
        path = Path(given).expanduser()
        if not given or find_suffix(path) is None:
            rows, charts = " ".join(ROW_SUFFIXES), " ".join(CHART_SUFFIXES)
            raise EscudoError("CLI025", f"name a file: {rows}, or a chart: {charts}")
        check_place(path)
        self._show(output=path)
        tell(f"the rows of the next search go to {path}")

    def set_format(self, name: str) -> None:
        layouts = {layout.value: layout for layout in Layout}
        if name in layouts:
            self._show(shape="table", layout=layouts[name])
        elif name in FORMATS:
            self._show(shape=name, layout=None)
        elif name:
            known = " ".join(dict.fromkeys((*layouts, *FORMATS)))
            raise EscudoError("CLI025", f"no format is named {name!r}", hint=f"one of: {known}")
        showing = self.settings.showing
        tell(f"rows are shown as {showing.layout or showing.shape}")

    def draw(self, given: str) -> None:
        if not given:
            self._search_again(chart=True)
            return
        path = Path(given).expanduser()
        if path.suffix.lower() not in CHART_SUFFIXES:
            raise EscudoError("CLI025", f"a chart goes to a file: {' '.join(CHART_SUFFIXES)}")
        check_place(path)
        self._search_again(output=path)

    def show_all(self, _: str) -> None:
        self._search_again(every=True)

    def help(self, _: str) -> None:
        lines = ["A line that begins with no dot is a search (SPL). Commands of the shell:"]
        width = max(len(command.usage) for command in SHELL_COMMANDS.values()) + 2
        lines += [
            f"  {command.usage:<{width}}{command.says}" for command in SHELL_COMMANDS.values()
        ]
        lines += [
            "Enter runs a search that is complete; Alt-Enter, or Enter in open brackets or after",
            "a pipe, begins a new line. Ctrl-C stops a search, Ctrl-D leaves.",
        ]
        open_stderr().print("\n".join(lines))

    def end(self, _: str) -> None:
        self.ended = True

    def _last_search(self) -> str:
        if self._last is None:
            raise EscudoError("CLI025", "no search has been run yet")
        return self._last

    def _change(self, **changes: object) -> Showing:
        return replace(self.settings.showing, **changes)  # type: ignore[arg-type]

    def _show(self, **changes: object) -> None:
        self.settings = replace(self.settings, showing=self._change(**changes))


def tell(text: str) -> None:
    """A line on standard error, which is no row."""
    open_stderr().print(escape_line(text))


@dataclass(frozen=True, slots=True)
class ShellCommand:
    """A command of the shell: how it is written, what it does."""

    usage: str
    says: str
    run: Callable[[Session, str], None]


SHELL_COMMANDS: Mapping[str, ShellCommand] = {
    command.usage.split()[0][1:]: command
    for command in (
        ShellCommand(
            ".fields [PATTERN]", "Fields that events in the lake have.", Session.list_fields
        ),
        ShellCommand(
            ".sources [PATTERN]", "Where events came from, and when.", Session.list_sources
        ),
        ShellCommand(".models [PATTERN]", "Data models, their rows.", Session.list_models),
        ShellCommand(".macros [PATTERN]", "Macros and what they stand for.", Session.list_macros),
        ShellCommand(".lookups [PATTERN]", "Lookups and their fields.", Session.list_lookups),
        ShellCommand(
            ".time [EARLIEST [LATEST]|all]", "The time range: .time -7d", Session.set_time
        ),
        ShellCommand(".tz [ZONE]", "The time zone: .tz Europe/Berlin", Session.set_zone),
        ShellCommand(
            ".format [NAME]", "How rows are shown: vertical, csv, ...", Session.set_format
        ),
        ShellCommand(".all", "All rows of the last search.", Session.show_all),
        ShellCommand(".chart [FILE]", "The last search as a chart.", Session.draw),
        ShellCommand(".output FILE", "The next search's rows go to a file.", Session.set_output),
        ShellCommand(".save NAME", "Keep the last search as the macro `NAME`.", Session.save),
        ShellCommand(".help", "This list.", Session.help),
        ShellCommand(".quit", "Leave; so does Ctrl-D.", Session.end),
    )
}
"""Name without the dot -> command, in the order of ``.help``."""
