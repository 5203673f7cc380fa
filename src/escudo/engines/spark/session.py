"""A Spark session that knows SPL's functions. Needs the ``spark`` extra and Java."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql.functions import arrow_udf

from escudo.engines.kernels import KERNELS, Kernel

SETTINGS: Mapping[str, str] = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "false",
    "spark.sql.legacy.sizeOfNull": "false",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.caseSensitive": "false",
}
"""What the prelude relies on: UTC, NULL for what cannot be computed and for the size of NULL."""

_LOCAL: Mapping[str, str] = {
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.driver.memory": "2g",
    "spark.ui.showConsoleProgress": "false",
}
_SQL_NAMES = {
    pa.string(): "string",
    pa.float64(): "double",
    pa.int64(): "bigint",
    pa.bool_(): "boolean",
    pa.list_(pa.string()): "array<string>",
    pa.map_(pa.string(), pa.string()): "map<string,string>",
}


def local_session(*, threads: int = 2, settings: Mapping[str, str] | None = None) -> SparkSession:
    """Spark inside this process, with SPL's functions; one is shared by the whole process.

    Its workers are the ``python3`` on the path, unless the environment's ``PYSPARK_PYTHON`` names
    another one (as ``startup`` sets it).
    """
    builder = SparkSession.builder.master(f"local[{threads}]").appName("escudo")
    for key, value in {**_LOCAL, **(settings or {})}.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    install(session)
    return session


def install(session: SparkSession) -> None:
    """Give a session the settings of the prelude and its kernels."""
    for key, value in SETTINGS.items():
        session.conf.set(key, value)
    for kernel in KERNELS:
        function = _OF_ARITY[len(kernel.takes)](kernel)
        session.udf.register(kernel.name, arrow_udf(function, _SQL_NAMES[kernel.gives]))


def _one(kernel: Kernel) -> Callable[..., pa.Array]:
    def call(a: pa.Array) -> pa.Array:
        return kernel(a)

    return call


def _two(kernel: Kernel) -> Callable[..., pa.Array]:
    def call(a: pa.Array, b: pa.Array) -> pa.Array:
        return kernel(a, b)

    return call


def _three(kernel: Kernel) -> Callable[..., pa.Array]:
    def call(a: pa.Array, b: pa.Array, c: pa.Array) -> pa.Array:
        return kernel(a, b, c)

    return call


def _four(kernel: Kernel) -> Callable[..., pa.Array]:
    def call(a: pa.Array, b: pa.Array, c: pa.Array, d: pa.Array) -> pa.Array:
        return kernel(a, b, c, d)

    return call


def _six(kernel: Kernel) -> Callable[..., pa.Array]:
    def call(
        a: pa.Array, b: pa.Array, c: pa.Array, d: pa.Array, e: pa.Array, f: pa.Array
    ) -> pa.Array:
        return kernel(a, b, c, d, e, f)

    return call


_OF_ARITY = {1: _one, 2: _two, 3: _three, 4: _four, 6: _six}
"""Spark counts the parameters of a function, and reads their types."""
