"""Settings -> a DuckDB connection that knows SPL's functions; the engine and ``cim`` use it."""

from __future__ import annotations

import atexit
import re
import shutil
import tempfile
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from threading import Lock

import duckdb
import pyarrow as pa
from duckdb.func import FunctionNullHandling, PythonUDFType

from escudo.core.owners import make_mark
from escudo.engines.kernels import KERNELS, Kernel

_SQL_NAMES = {
    pa.string(): "VARCHAR",
    pa.float64(): "DOUBLE",
    pa.int64(): "BIGINT",
    pa.bool_(): "BOOLEAN",
    pa.list_(pa.string()): "VARCHAR[]",
    pa.map_(pa.string(), pa.string()): "MAP(VARCHAR, VARCHAR)",
}
_OF_ARITY: Mapping[int, Callable[[Kernel], Callable[..., pa.Array]]] = {
    1: lambda kernel: lambda a: kernel(a),
    2: lambda kernel: lambda a, b: kernel(a, b),
    3: lambda kernel: lambda a, b, c: kernel(a, b, c),
    4: lambda kernel: lambda a, b, c, d: kernel(a, b, c, d),
    6: lambda kernel: lambda a, b, c, d, e, f: kernel(a, b, c, d, e, f),
}
"""DuckDB counts the parameters of the function it is given."""

_FUNCTION = re.compile(r"\bspl_\w+")
"""A function of the prelude, in lower case."""

_SETTINGS = (
    "SET timezone = 'UTC'",
    "SET error_on_division_by_zero = false",
    "SET preserve_insertion_order = true",
)


@lru_cache(maxsize=1)
def load_prelude() -> tuple[str, ...]:
    """The statements that define the ``spl_...`` macros, in order."""
    text = files(__package__).joinpath("prelude.sql").read_text(encoding="utf-8")
    text = re.sub(r"(?m)^--.*\n", "", text)
    return tuple(s.strip() for s in re.split(r";[ \t]*(?:\n|\Z)", text) if s.strip())


@lru_cache(maxsize=1)
def _list_macros() -> Mapping[str, tuple[str, frozenset[str]]]:
    """The macros by name, in lower case: what defines each, and the functions that it calls."""
    macros = {}
    for statement in load_prelude():
        name, *called = _FUNCTION.findall(statement.lower())
        macros[name] = (statement, frozenset(called))
    return macros


class Prelude:
    """The macros of a connection and its cursors, each made when it is called for the first time:
    to make all 131 takes a tenth of a second, and a search calls few.

    >>> connection, prelude = connect(threads=1, macros=False), Prelude()
    >>> prelude.provide("SELECT spl_text(5.0)", connection)
    >>> connection.execute("SELECT spl_text(5.0)").fetchone()
    ('5',)
    """

    def __init__(self) -> None:
        self._there: set[str] = set()
        self._lock = Lock()

    def provide(self, sql: str, connection: duckdb.DuckDBPyConnection) -> None:
        """Makes what a statement calls, and what that calls."""
        asked = set(_FUNCTION.findall(sql.lower()))
        if asked <= self._there:
            return
        with self._lock:
            for name in asked:
                self._make(name, connection)

    def _make(self, name: str, connection: duckdb.DuckDBPyConnection) -> None:
        if name in self._there:
            return
        statement, called = _list_macros().get(name, ("", frozenset()))
        for other in called - {name}:
            self._make(other, connection)
        if statement:
            connection.execute(statement)
        self._there.add(name)


@lru_cache(maxsize=1)
def find_kernel_users() -> frozenset[str]:
    """The functions that run in Python, in lower case: kernels, and macros that call them.

    >>> "spl_pcre_match" in find_kernel_users(), "spl_epoch" in find_kernel_users()
    (True, False)
    """
    slow = {kernel.name.lower() for kernel in KERNELS}
    while more := {n for n, (_, called) in _list_macros().items() if called & slow} - slow:
        slow |= more
    return frozenset(slow)


def connect(
    *,
    threads: int | None = None,
    memory_limit: str | None = None,
    temp_directory: str | None = None,
    macros: bool = True,
) -> duckdb.DuckDBPyConnection:
    """An in-memory connection with SPL's functions; times are UTC. Without ``macros`` a ``Prelude``
    makes those that are called.

    ``memory_limit`` is DuckDB's (``"1GB"``); what does not fit spills to ``temp_directory``, a new
    folder in the system's place for temporary files unless given, which is made when it is needed
    and gone when the process ends. Cursors of the connection share the functions.

    >>> connect(threads=1).execute("SELECT spl_text(5.0), spl_num('x')").fetchone()
    ('5', None)
    """
    options: dict[str, str | bool | int | float | list[str]] = {}
    if threads is not None:
        options["threads"] = threads
    if memory_limit is not None:
        options["memory_limit"] = memory_limit
    if temp_directory is None:
        name = f"escudo-spill-{make_mark()}-{uuid.uuid4().hex}"
        temp_directory = str(Path(tempfile.gettempdir()) / name)
        atexit.register(shutil.rmtree, temp_directory, ignore_errors=True)
    options["temp_directory"] = temp_directory
    connection = duckdb.connect(":memory:", config=options)
    for statement in _SETTINGS:
        connection.execute(statement)
    _make_kernels(connection)
    if macros:
        for statement in load_prelude():
            connection.execute(statement)
    return connection


_FOR_LITTLE = frozenset(
    {"filter_pushdown", "unused_columns", "expression_rewriter", "deliminator", "unnest_rewriter"}
)
"""Optimizers that pay over little data, too."""


def suit_size(connection: duckdb.DuckDBPyConnection, *, little: bool) -> None:
    """Sets what suits the amount of data that the searches to come read.

    Over little data a second thread costs more than it does, and a search is planned for longer
    than it runs: without most optimizers it takes a third less (2026-11-29: 194 searches over 5,382
    events). What a search gives does not depend on them.
    """
    if little:
        named = connection.execute("SELECT name FROM duckdb_optimizers()").fetchall()
        spared = ",".join(name for (name,) in named if name not in _FOR_LITTLE)
        connection.execute("SET threads = 1")
        connection.execute(f"SET disabled_optimizers = '{spared}'")
    else:
        connection.execute("RESET threads")
        connection.execute("RESET disabled_optimizers")


def confine(connection: duckdb.DuckDBPyConnection, folders: Sequence[str]) -> None:
    """Leaves a connection nothing but some folders: no other file, no extension, no network, no
    variable of Python's; and no statement can change that, or any other setting, from then on.

    >>> connection = connect(threads=1, macros=False)
    >>> confine(connection, ["/lake/tables"])
    >>> connection.execute("FROM read_text('/etc/hostname')")
    Traceback (most recent call last):
    _duckdb.PermissionException: ...
    """
    spill = connection.execute("SELECT current_setting('temp_directory')").fetchone()
    allowed = [*folders, *([spill[0]] if spill is not None else [])]
    written = ", ".join("'" + folder.replace("'", "''") + "'" for folder in allowed)
    for statement in (f"SET allowed_directories = [{written}]", *_CONFINED):
        connection.execute(statement)


_CONFINED = (
    "SET enable_external_access = false",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET allow_community_extensions = false",
    "SET python_enable_replacements = false",
    "SET lock_configuration = true",
)
"""``lock_configuration`` is the last: after it nothing is set."""


def _make_kernels(connection: duckdb.DuckDBPyConnection) -> None:
    """The kernels as Arrow functions, which the macros call."""
    for kernel in KERNELS:
        connection.create_function(
            kernel.name,
            _OF_ARITY[len(kernel.takes)](kernel),
            [_SQL_NAMES[t] for t in kernel.takes],
            _SQL_NAMES[kernel.gives],
            type=PythonUDFType.ARROW,
            null_handling=FunctionNullHandling.SPECIAL,
        )
