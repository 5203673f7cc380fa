"""Settings -> a DuckDB connection that knows SPL's functions; the engine and ``cim`` use it."""

from __future__ import annotations

import atexit
import re
import shutil
import tempfile
import uuid
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

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
def find_kernel_users() -> frozenset[str]:
    """The functions that run in Python, in lower case: kernels, and macros that call them.

    >>> "spl_pcre_match" in find_kernel_users(), "spl_epoch" in find_kernel_users()
    (True, False)
    """
    calls = {}
    for statement in load_prelude():
        name, *called = re.findall(r"\bspl_\w+", statement.lower())
        calls[name] = set(called)
    slow = {kernel.name.lower() for kernel in KERNELS}
    while more := {n for n, called in calls.items() if called & slow} - slow:
        slow |= more
    return frozenset(slow)


def connect(
    *,
    threads: int | None = None,
    memory_limit: str | None = None,
    temp_directory: str | None = None,
) -> duckdb.DuckDBPyConnection:
    """An in-memory connection with SPL's functions; times are UTC.

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
    install(connection)
    return connection


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Give a connection the prelude: kernels as Arrow functions, then the macros over them."""
    for kernel in KERNELS:
        connection.create_function(
            kernel.name,
            _OF_ARITY[len(kernel.takes)](kernel),
            [_SQL_NAMES[t] for t in kernel.takes],
            _SQL_NAMES[kernel.gives],
            type=PythonUDFType.ARROW,
            null_handling=FunctionNullHandling.SPECIAL,
        )
    for statement in load_prelude():
        connection.execute(statement)
