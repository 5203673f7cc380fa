"""Options that several commands share -> content, times, searches; called by the commands."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, tzinfo
from functools import wraps
from pathlib import Path
from typing import IO, Any, TypeVar, cast

import click
from click.core import ParameterSource

from escudo.actions.engines import ENGINES, EngineChoice
from escudo.actions.named_search import NamedSearch, find_searches
from escudo.actions.search import SearchOptions
from escudo.cli.content_type import ContentType
from escudo.cli.place_type import LakeType, LogType, PlaceType
from escudo.cli.progress import show_diagnostics
from escudo.cli.settings import FAILED_CONTENT
from escudo.cli.terminal import escape_line, open_stderr
from escudo.cli.zone_names import find_zone
from escudo.content import Content
from escudo.content.cached import KeyedContent, load_cached
from escudo.core.disk_cache import DiskCache, find_cache_folder
from escudo.core.errors import Diagnostic, EscudoError, Severity
from escudo.core.timerange import TimeRange
from escudo.engines.spark.place import SparkPlace
from escudo.lake import Lake
from escudo.lake.place import LakePlace, make_place
from escudo.lake.tables import Tables, load_tables
from escudo.sources.date_order import DateOrder
from escudo.sources.opening import UnpackLimits
from escudo.spl import parse_time
from escudo.startup import spare_collections
from escudo.storage import find_scheme

F = TypeVar("F", bound=Callable[..., Any])

_EXISTING = PlaceType("content", exists=True)
_CONTENT = ContentType(exists=True)


def logs_argument(*, required: bool, remote: bool = False) -> Callable[[F], F]:
    """``LOGS``, which give a command ``logs``; with ``remote`` they may be URLs of a storage, as
    texts."""
    kind = LogType() if remote else PlaceType("log", allow_dash=True)
    return click.argument("logs", nargs=-1, required=required, type=kind)


def limits_options(function: F) -> F:
    """``--max-unpacked``, ``--max-members``, ``--password``, ``--password-file``, which give a
    command ``limits``: how archives are opened."""
    usual = UnpackLimits()

    @wraps(function)
    def with_limits(
        *arguments: Any,
        max_unpacked: int,
        max_members: int,
        password: str | None,
        password_file: IO[bytes] | None,
        **options: Any,
    ) -> Any:
        limits = UnpackLimits(
            most_bytes=max_unpacked << 30,
            most_members=max_members,
            passwords=_read_passwords(password, password_file),
        )
        return function(*arguments, limits=limits, **options)

    decorated: Any = click.option(
        "--password-file",
        type=click.File("rb"),
        help="File of passwords of archives, one a line; each is tried.",
    )(with_limits)
    decorated = click.option(
        "--password",
        envvar="ESCUDO_PASSWORD",
        prompt=True,
        prompt_required=False,
        hide_input=True,
        help="Password of encrypted archives (others see it in the list of processes); "
        "at the end of the line, without a value, it is asked for.",
    )(decorated)
    decorated = click.option(
        "--max-members",
        type=click.IntRange(min=1),
        default=usual.most_members,
        show_default=True,
        help="Members that are opened of the archives of one file.",
    )(decorated)
    decorated = click.option(
        "--max-unpacked",
        type=click.IntRange(min=1),
        default=usual.most_bytes >> 30,
        show_default=True,
        help="GB that one file may unpack to.",
    )(decorated)
    return cast(F, decorated)


def _read_passwords(password: str | None, file: IO[bytes] | None) -> tuple[bytes, ...]:
    given = [password.encode("utf-8", "surrogateescape")] if password else []
    lines = file.read().splitlines() if file is not None else []
    return (*given, *(line for line in lines if line))


def lake_option(
    *,
    required: bool,
    existing: bool = False,
    text: str = "Folder of the lake, or s3://, gs://, abfs://, hdfs://.",
) -> Callable[[F], F]:
    """``--lake`` and ``--ledger``, which give a command its ``lake_path`` (``LakePlace``);
    ``existing``: a folder has to be there."""

    def decorate(function: F) -> F:
        @wraps(function)
        def with_lake(
            *arguments: Any, lake_path: str | None, ledger_place: str | None, **options: Any
        ) -> Any:
            if lake_path is not None and not _applies_to("ledger_place", lake_path):
                ledger_place = None
            place = None if lake_path is None else make_place(lake_path, ledger_place)
            return function(*arguments, lake_path=place, **options)

        decorated: Any = click.option(
            "--ledger",
            "ledger_place",
            help="Ledger of a lake that machines share: postgresql://USER@HOST/NAME, or an SQLite "
            "file [default: in the lake's folder].",
        )(with_lake)
        decorated = click.option(
            "--lake",
            "lake_path",
            required=required,
            type=LakeType(exists=existing),
            help=text,
        )(decorated)
        return cast(F, decorated)

    return decorate


def _applies_to(parameter: str, lake_path: str) -> bool:
    """Whether a ledger is meant for a lake: one that the settings name is not for a folder that the
    command line names."""
    sources = click.get_current_context().get_parameter_source
    meant = sources(parameter) is not ParameterSource.DEFAULT_MAP
    from_settings = sources("lake_path") is ParameterSource.DEFAULT_MAP
    return meant or from_settings or find_scheme(lake_path) is not None


def sources_option(function: F) -> F:
    """``--sources`` (repeatable), which gives a command the ``tables`` of its lake."""
    return click.option(
        "--sources",
        "tables",
        multiple=True,
        type=PlaceType("source", exists=True, file_okay=False),
        callback=lambda _context, _option, folders: _load_tables(folders),
        help="Folder of own sources (YAML files), assets.csv, identities.csv; repeatable.",
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


def open_lake(place: LakePlace | None, tables: Tables, *, create: bool = False) -> Lake:
    """The lake at a place, or, without one, one that is gone when it is closed."""
    if place is None:
        return Lake.create_temporary(tables=tables)
    return Lake.open(place, create=create, tables=tables)


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
    """``--engine``, ``--memory`` (what the embedded one may use), ``--master`` and
    ``--spark-properties`` (where the other one runs), which give a command its ``engine``."""
    memory = click.option(
        "--memory", "memory_limit", default=None, help="Memory limit of DuckDB, such as 4GB."
    )
    chosen = _choose_engine("The embedded engine, or Spark (needs the extra `spark` and Java 17).")
    return chosen(memory(function))


def reader_options(function: F) -> F:
    """The options of an engine that reads logs; they give a command its ``engine``."""
    about = "What reads the logs: this process (duckdb), or Spark's workers."
    return _choose_engine(about)(function)


def _choose_engine(about: str) -> Callable[[F], F]:
    """``--engine``, ``--master`` and ``--spark-properties``."""

    def decorate(function: F) -> F:
        @wraps(function)
        def with_engine(
            *arguments: Any,
            engine_name: str,
            master: str | None,
            spark_properties: Path | None,
            memory_limit: str | None = None,
            **options: Any,
        ) -> Any:
            on_spark = engine_name != ENGINES[0]
            if not on_spark:
                _refuse_typed("master", "spark_properties")
            place = SparkPlace.find(master, spark_properties) if on_spark else SparkPlace()
            choice = EngineChoice(name=engine_name, memory_limit=memory_limit, place=place)
            return function(*arguments, engine=choice, **options)

        decorated = click.option(
            "--spark-properties",
            type=click.Path(path_type=Path, dir_okay=False),
            default=None,
            help="File of Spark's properties, like spark-defaults.conf.",
        )(cast(F, with_engine))
        decorated = click.option(
            "--master",
            default=None,
            metavar="URL",
            help="Where Spark runs: local[4], spark://host:7077, yarn, k8s://https://host:443, or "
            "sc://host:15002 for Spark Connect [default: that of the properties, or local[2]].",
        )(decorated)
        return click.option(
            "--engine",
            "engine_name",
            type=click.Choice(ENGINES),
            default=ENGINES[0],
            show_default=True,
            help=about,
        )(decorated)

    return decorate


def _refuse_typed(*names: str) -> None:
    """Refuses options that were typed; they may come of a configuration file."""
    context = click.get_current_context()
    for name in names:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            option = f"--{name.replace('_', '-')}"
            raise click.UsageError(f"{option} is for --engine spark.", context)


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

    It is in the folder of ``core.disk_cache.find_cache_folder``.
    """
    return DiskCache(find_cache_folder())


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
