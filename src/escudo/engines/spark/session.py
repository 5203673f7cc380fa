"""A place -> a Spark session that knows SPL's functions; needs the ``spark`` extra, and Java where
the driver is this process. Engines and actions ask."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import TypeAlias

import pyarrow as pa
from pyspark.errors import PySparkException, UnsupportedOperationException
from pyspark.sql import SparkSession
from pyspark.sql.functions import arrow_udf

from escudo.core.errors import EscudoError
from escudo.core.event_log import log_event
from escudo.engines.kernels import KERNELS
from escudo.engines.spark.lifting import compute_each, name_for_lists
from escudo.engines.spark.place import SparkPlace
from escudo.engines.spark.shipping import build_archive

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
_CLUSTER: Mapping[str, str] = {
    "spark.ui.showConsoleProgress": "false",
    # A driver that only plans hardly runs anything often enough for Java's second compiler to pay
    # (2026-11-30: a hunt with 40 queries takes it 27 s of CPU; 53 with both compilers). With one
    # compiler its room for code is a fifth, unless told: 150 searches fill that.
    "spark.driver.defaultJavaOptions": "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m",
}
_Computed: TypeAlias = Callable[..., pa.Array]
_CORES = 8
"""Tasks at once where a server does not say how many it runs."""
_CAUSE = re.compile(r"^Caused by: (.*)$", re.MULTILINE)
_MOST_TEXT = 2000
_SQL_NAMES = {
    pa.string(): "string",
    pa.float64(): "double",
    pa.int64(): "bigint",
    pa.bool_(): "boolean",
    pa.list_(pa.string()): "array<string>",
    pa.map_(pa.string(), pa.string()): "map<string,string>",
}


def open_session(place: SparkPlace | None = None) -> SparkSession:
    """A Spark session with SPL's functions, in a place; one is shared by the whole process.

    The driver is this process, except with Spark Connect. Workers of ``local`` are the ``python3``
    on the path, unless the environment's ``PYSPARK_PYTHON`` names another one (as ``startup`` sets
    it). The Python of other workers is that of the property ``spark.pyspark.python``, of the
    variable, or their own ``python3``; they get this package with the job.

    Raises:
        EscudoError: ENG012 where the cluster does not answer.
    """
    place = place or SparkPlace()
    defaults = {} if place.is_remote else _LOCAL if place.is_local else _CLUSTER
    builder = SparkSession.builder.appName("escudo")
    builder = builder.remote(place.master) if place.is_remote else builder.master(place.master)
    for key, value in {**defaults, **_find_storage(), **place.properties}.items():
        builder = builder.config(key, value)
    try:
        session = builder.getOrCreate()
        if not place.is_remote:
            session.sparkContext.setLogLevel("OFF")
            if not place.is_local:
                session.sparkContext.pythonExec = _find_python(place)
        install(session)
    except _OPENING_ERRORS as error:
        raise EscudoError("ENG012", f"{place.master}: {explain_error(error)}") from error
    return session


def _find_storage() -> Mapping[str, str]:
    """What Hadoop's S3 has to be told where it is not Amazon's: its address, and that buckets are
    the first part of the path. Keys and region it finds in the same variables as all else."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if not endpoint:
        return {}
    return {
        "spark.hadoop.fs.s3a.endpoint": endpoint,
        "spark.hadoop.fs.s3a.path.style.access": "true",
    }


def _find_python(place: SparkPlace) -> str:
    """The Python of a cluster's workers: this process's own is no path on other machines."""
    named = os.environ.get("PYSPARK_PYTHON", "")
    of_environment = named if named != sys.executable else ""
    return place.properties.get("spark.pyspark.python") or of_environment or "python3"


def attach_session(session: SparkSession) -> SparkSession:
    """A session of its own beside one that exists, with SPL's functions; it shares the cluster, and
    the other one's settings and views stay as they are."""
    own = session.newSession()
    install(own)
    return own


def is_remote(session: SparkSession) -> bool:
    """Whether a session is one of Spark Connect."""
    return type(session).__module__.startswith("pyspark.sql.connect")


def count_cores(session: SparkSession) -> int:
    """The tasks that run at once: the cluster's cores, or what the session is told to take them
    for."""
    if not is_remote(session):
        return int(session.sparkContext.defaultParallelism)
    with suppress(PySparkException, ValueError, TypeError):
        return int(session.conf.get("spark.default.parallelism"))
    return _CORES


def install(session: SparkSession) -> None:
    """Give a session the settings of the prelude and its kernels, and its workers this package."""
    for key, value in SETTINGS.items():
        session.conf.set(key, value)
    ship_package(session)
    for kernel in KERNELS:
        function = _OF_ARITY[len(kernel.takes)](kernel)
        kind = _SQL_NAMES[kernel.gives]
        session.udf.register(kernel.name, arrow_udf(function, kind))
        over_lists = _OF_ARITY[len(kernel.takes)](partial(compute_each, kernel))
        session.udf.register(name_for_lists(kernel.name), arrow_udf(over_lists, f"array<{kind}>"))


def ship_package(session: SparkSession) -> None:
    """Give the workers of a session this package, unless they are this machine's Python.

    A server of Spark Connect that takes no artifacts (Sail) must have the package itself.
    """
    if is_remote(session):
        try:
            session.addArtifacts(str(build_archive()), pyfile=True)
        except UnsupportedOperationException as error:
            log_event("package not sent to Spark", text=str(error))
    elif not SparkPlace(session.sparkContext.master).is_local:
        session.sparkContext.addPyFile(str(build_archive()))


def _find_java_errors() -> tuple[type[Exception], ...]:
    """What Spark's Java raises; a client of Spark Connect alone has none."""
    if find_spec("py4j") is None:
        return ()
    error: type[Exception] = import_module("py4j.protocol").Py4JError
    return (error,)


SPARK_ERRORS: tuple[type[Exception], ...] = (PySparkException, *_find_java_errors())
"""What Spark's client and its Java raise."""


def _connection_errors() -> tuple[type[Exception], ...]:
    """What a client of Spark Connect raises where nothing answers."""
    if find_spec("grpc") is None:
        return ()
    error: type[Exception] = import_module("grpc").RpcError
    return (error,)


_OPENING_ERRORS: tuple[type[Exception], ...] = (
    *SPARK_ERRORS,
    OSError,
    RuntimeError,
    *_connection_errors(),
)


def explain_error(error: Exception) -> str:
    """The part of Spark's message that says what is wrong: its Java's traces are hundreds of
    lines."""
    text = str(error).split("JVM stacktrace", 1)[0]
    causes = [m[1].strip() for m in _CAUSE.finditer(text)]
    first = text.split("\n\tat ", 1)[0].strip()
    return "; ".join([first, *causes[-1:]])[:_MOST_TEXT]


def _one(kernel: _Computed) -> Callable[..., pa.Array]:
    def call(a: pa.Array) -> pa.Array:
        return kernel(a)

    return call


def _two(kernel: _Computed) -> Callable[..., pa.Array]:
    def call(a: pa.Array, b: pa.Array) -> pa.Array:
        return kernel(a, b)

    return call


def _three(kernel: _Computed) -> Callable[..., pa.Array]:
    def call(a: pa.Array, b: pa.Array, c: pa.Array) -> pa.Array:
        return kernel(a, b, c)

    return call


def _four(kernel: _Computed) -> Callable[..., pa.Array]:
    def call(a: pa.Array, b: pa.Array, c: pa.Array, d: pa.Array) -> pa.Array:
        return kernel(a, b, c, d)

    return call


def _six(kernel: _Computed) -> Callable[..., pa.Array]:
    def call(
        a: pa.Array, b: pa.Array, c: pa.Array, d: pa.Array, e: pa.Array, f: pa.Array
    ) -> pa.Array:
        return kernel(a, b, c, d, e, f)

    return call


_OF_ARITY = {1: _one, 2: _two, 3: _three, 4: _four, 6: _six}
"""Spark counts the parameters of a function, and reads their types."""
