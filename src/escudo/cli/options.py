"""Options that several commands share -> content, times, searches; called by the commands."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, tzinfo
from functools import wraps
from pathlib import Path
from typing import IO, Any, TypeVar, cast

import click
from platformdirs import user_cache_path

from escudo.actions.engines import ENGINES
from escudo.actions.named_search import NamedSearch, find_searches
from escudo.actions.search import SearchOptions
from escudo.cli.content_type import ContentType
from escudo.cli.place_type import PlaceType
from escudo.cli.progress import show_diagnostics
from escudo.cli.settings import FAILED_CONTENT
from escudo.cli.terminal import escape_line, open_stderr
from escudo.cli.zone_names import find_zone
from escudo.content import Content
from escudo.content.cached import KeyedContent, load_cached
from escudo.core.disk_cache import DiskCache
from escudo.core.errors import Diagnostic, EscudoError, Severity
from escudo.core.timerange import TimeRange
from escudo.lake import Lake
from escudo.lake.tables import Tables, load_tables
from escudo.sources.date_order import DateOrder
from escudo.sources.opening import UnpackLimits
from escudo.spl import parse_time
from escudo.startup import spare_collections

F = TypeVar("F", bound=Callable[..., Any])

_EXISTING = PlaceType("content", exists=True)
_CONTENT = ContentType(exists=True)


def logs_argument(*, required: bool) -> Callable[[F], F]:
    return click.argument(
        "logs", nargs=-1, required=required, type=PlaceType("log", allow_dash=True)
    )


def unpack_options(function: F) -> F:
    """``--max-unpacked`` and ``--max-members``: what one file may unpack to."""
    usual = UnpackLimits()
    function = click.option(
        "--max-members",
        type=click.IntRange(min=1),
        default=usual.most_members,
        show_default=True,
        help="Members that are opened of the archives of one file.",
    )(function)
    return click.option(
        "--max-unpacked",
        type=click.IntRange(min=1),
        default=usual.most_bytes >> 30,
        show_default=True,
        help="GB that one file may unpack to.",
    )(function)


def password_options(function: F) -> F:
    """``--password`` and ``--password-file``, which give a command ``passwords``."""

    @wraps(function)
    def with_passwords(
        *arguments: Any, password: str | None, password_file: IO[bytes] | None, **options: Any
    ) -> Any:
        passwords = _read_passwords(password, password_file)
        return function(*arguments, passwords=passwords, **options)

    with_file = click.option(
        "--password-file",
        type=click.File("rb"),
        help="File of passwords of archives, one a line; each is tried.",
    )(with_passwords)
    decorated: F = click.option(
        "--password",
        envvar="ESCUDO_PASSWORD",
        prompt=True,
        prompt_required=False,
        hide_input=True,
        help="Password of encrypted archives (others see it in the list of processes); "
        "at the end of the line, without a value, it is asked for.",
    )(cast(F, with_file))
    return decorated


def _read_passwords(password: str | None, file: IO[bytes] | None) -> tuple[bytes, ...]:
    given = [password.encode("utf-8", "surrogateescape")] if password else []
    lines = file.read().splitlines() if file is not None else []
    return (*given, *(line for line in lines if line))


def lake_option(
    *, required: bool, existing: bool = False, text: str = "Folder of the lake."
) -> Callable[[F], F]:
    """``--lake``, with its help; ``existing``: the folder has to be there."""
    return click.option(
        "--lake",
        "lake_path",
        required=required,
        type=PlaceType("lake", file_okay=False, exists=existing),
        help=text,
    )


def sources_option(function: F) -> F:
    """``--sources`` (repeatable), which gives a command the ``tables`` of its lake."""
    return click.option(
        "--sources",
        "tables",
        multiple=True,
        type=PlaceType("source", exists=True, file_okay=False),
        callback=lambda _context, _option, folders: _load_tables(folders),
        help="Folder of own sources (YAML files), beside those of Escudo; repeatable.",
    )(function)


def _load_tables(source_folders: Sequence[Path]) -> Tables:
    """The tables of Escudo's own sources are kept: they depend on its code alone."""
    if source_folders:
        return load_tables(source_folders)
    return open_cache().recall("tables", b"", load_tables)


def policy_option(function: F) -> F:
    """``--policy``: a file that says how long a lake keeps what."""
    return click.option(
        "--policy",
        "policy_path",
        type=PlaceType("policy", exists=True, dir_okay=False),
        help="How long the lake keeps what (a TOML file) [default: for ever].",
    )(function)


def date_order_option(function: F) -> F:
    """``--date-order``: what dates like 03/05/2024 mean."""
    return click.option(
        "--date-order",
        type=click.Choice([order.value for order in DateOrder]),
        callback=lambda _context, _option, value: None if value is None else DateOrder(value),
        help="Read dates like 03/05/2024 as day/month (dmy) or month/day (mdy) [default: not].",
    )(function)


def open_lake(path: Path | None, tables: Tables, *, create: bool = False) -> Lake:
    """The lake in a folder, or, without a folder, one that is gone when it is closed."""
    if path is None:
        return Lake.create_temporary(tables=tables)
    return Lake.open(path, create=create, tables=tables)


def content_options(function: F) -> F:
    """``--content`` (repeatable) and ``--overlay``."""
    function = click.option(
        "--overlay", type=_EXISTING, help="Folder of local changes over the content."
    )(function)
    return click.option(
        "--content",
        "content_paths",
        multiple=True,
        type=_CONTENT,
        help="Detection content: a security_content checkout, a Splunk app, the name of a content "
        "pack, pack:NAME; repeatable.",
    )(function)


def time_options(function: F) -> F:
    """``--earliest`` and ``--latest``."""
    function = click.option(
        "--latest", default="", help="End of the time range, exclusive (Splunk time or ISO-8601)."
    )(function)
    return click.option(
        "--earliest",
        default="",
        help="Start of the time range: -24h, -7d@d, epoch seconds, 2020-10-08T11:00:00Z.",
    )(function)


def zone_option(also: str) -> Callable[[F], F]:
    """``--tz``, which gives a command its ``zone``; ``also`` ends the help."""
    return click.option(
        "--tz",
        "zone",
        default="UTC",
        envvar="ESCUDO_TZ",
        show_default=True,
        show_envvar=True,
        callback=lambda _context, _option, name: find_zone(name),
        help="Time zone (Europe/Berlin; `local` is the system's) of times on the terminal and of "
        f"days in time ranges; {also}",
    )


def engine_options(function: F) -> F:
    """``--engine``, and ``--memory``: what the embedded one may use."""
    function = click.option(
        "--memory", "memory_limit", default=None, help="Memory limit of DuckDB, such as 4GB."
    )(function)
    return click.option(
        "--engine",
        "engine_name",
        type=click.Choice(ENGINES),
        default=ENGINES[0],
        show_default=True,
        help="The embedded engine, or Spark (needs the extra `spark` and Java 17).",
    )(function)


def rights_options(function: F) -> F:
    """``--allow-delete`` and ``--allow-internal``, which give a command ``rights``: how a search
    runs that may do so."""

    @wraps(function)
    def with_rights(
        *arguments: Any, allow_delete: bool, allow_internal: bool, **options: Any
    ) -> Any:
        rights = SearchOptions(may_delete=allow_delete, may_write_internal=allow_internal)
        return function(*arguments, rights=rights, **options)

    decorated = click.option(
        "--allow-internal",
        is_flag=True,
        help="Let `collect` write to indexes whose names begin with `_`.",
    )(cast(F, with_rights))
    return click.option(
        "--allow-delete",
        is_flag=True,
        help="Let `delete` take the events that it finds out of the lake.",
    )(decorated)


def open_cache() -> DiskCache:
    """Where loaded content and bound searches are kept from one run to the next.

    It is the folder that the environment's ``ESCUDO_CACHE`` names (nowhere if it is empty), or
    else ``escudo`` in the user's own cache folder.
    """
    named = os.environ.get("ESCUDO_CACHE")
    if named is not None:
        return DiskCache(Path(named) if named else None)
    return DiskCache(user_cache_path("escudo"))


def load_content(paths: Sequence[Path], overlay: Path | None) -> Content:
    """The content of the paths over Escudo's own; what is wrong in its files goes to stderr."""
    return load_keyed_content(paths, overlay, open_cache()).content


def load_keyed_content(
    paths: Sequence[Path], overlay: Path | None, cache: DiskCache
) -> KeyedContent:
    """``load_content``, with what tells it from other content."""
    loaded = load_cached(paths, overlay=overlay, cache=cache)
    diagnostics = loaded.content.diagnostics
    show_diagnostics([d for d in diagnostics if d.severity is Severity.ERROR])
    if any(d.severity is Severity.WARNING for d in diagnostics):
        told = count_told(diagnostics)
        open_stderr().print(f"content: {told}; `escudo validate` shows them")
    context = click.get_current_context(silent=True)
    if context is not None and loaded.content.failed_files:
        context.meta[FAILED_CONTENT] = True
    spare_collections()
    return loaded


def count_told(diagnostics: Iterable[Diagnostic]) -> str:
    """How many warnings and notes there are, in words."""
    severities = Counter(d.severity for d in diagnostics)
    return f"{severities[Severity.WARNING]:,} warnings, {severities[Severity.INFO]:,} notes"


def parse_time_range(earliest: str, latest: str, now: float, zone: tzinfo = UTC) -> TimeRange:
    """The range of ``--earliest`` and ``--latest``; empty text is unbounded.

    Raises:
        EscudoError: CLI003 for a time that cannot be read.
    """
    return TimeRange(
        parse_bound("--earliest", earliest, now, zone), parse_bound("--latest", latest, now, zone)
    )


def parse_bound(option: str, text: str, now: float, zone: tzinfo = UTC) -> float | None:
    """One end of a time range in epoch seconds; None is unbounded.

    Raises:
        EscudoError: CLI003 for a time that cannot be read, with the forms that can.
    """
    if not text:
        return None
    try:
        return parse_time(text, now, zone)
    except EscudoError as error:
        told = error.diagnostic
        raise EscudoError("CLI003", f"{option}: {told.message}", hint=told.hint) from error


def read_searches(argument: str, loaded: Content) -> list[NamedSearch]:
    """What an argument stands for (``actions.named_search``); ``-`` is SPL on standard input."""
    if argument == "-":
        return [NamedSearch("<stdin>", sys.stdin.read())]
    return tell_disabled(find_searches(argument, loaded))


def tell_disabled(searches: list[NamedSearch]) -> list[NamedSearch]:
    """The searches; of those that the content turns off, stderr says so."""
    for search in searches:
        if not search.enabled:
            text = f"note: {search.name} is disabled by the content: a hunt leaves it out"
            open_stderr().print(escape_line(text))
    return searches
