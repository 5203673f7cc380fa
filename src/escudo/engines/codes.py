"""The error codes of the engines, for ``docs/errors.md``."""

from __future__ import annotations

from collections.abc import Mapping

from escudo.core.errors import ErrorCode

_ROWS = (
    ErrorCode(
        "ENG001",
        "the engine could not run a query",
        "`escudo explain` shows the query.",
    ),
    ErrorCode(
        "ENG002",
        "engine not available",
        "Spark needs the `spark` extra and Java 17; DuckDB is always there.",
    ),
    ErrorCode(
        "ENG004",
        "a data file cannot be read",
        "It is gone or damaged: `escudo lake verify` says what is, and what can be read in again.",
    ),
    ErrorCode(
        "ENG005",
        "the engine's memory does not suffice",
        "Give it more by --memory, or look at a shorter time range.",
    ),
    ErrorCode(
        "ENG006",
        "no room for temporary files",
        "Free the disk of temporary files, or point TMPDIR to another one.",
    ),
    ErrorCode(
        "ENG007",
        "a regular expression takes too long",
        "It backtracks without end: avoid repetitions inside repetitions, such as (a+)+.",
    ),
    ErrorCode(
        "ENG008",
        "a text would be too wide",
        "Ask printf for a smaller width or precision.",
    ),
    ErrorCode(
        "ENG009",
        "the work of a part of the input failed on Spark's workers",
        "Nothing of it is in the lake: run it again, or without --engine spark.",
    ),
    ErrorCode(
        "ENG010",
        "not a master of Spark",
        "local[4], spark://host:7077, yarn, k8s://https://host:443 or sc://host:15002.",
    ),
    ErrorCode(
        "ENG011",
        "a file of Spark's properties cannot be read, or a property is not as it has to be",
        "A name and a value a line, as in spark-defaults.conf.",
    ),
    ErrorCode(
        "ENG012",
        "Spark cannot be reached",
        "Check the master's address, and that the cluster runs Spark 4 with the same Python.",
    ),
    ErrorCode(
        "ENG013",
        "the rows of a search, or those that a command needs together, are more than the driver of "
        "Spark takes",
        "Look at a shorter time range, have the search give fewer rows, or raise "
        "spark.driver.maxResultSize and spark.driver.memory by --spark-properties.",
    ),
    ErrorCode(
        "ENG014",
        "Spark has not the file system of the storage that the lake is in",
        "Name its package by --spark-properties, of the version of Spark's own Hadoop: "
        "spark.jars.packages org.apache.hadoop:hadoop-aws:3.5.0 (docs/spark.md).",
    ),
    ErrorCode(
        "ENG003",
        "function not available on this engine",
        "docs/functions.md shows which engine has which function.",
    ),
)

CODES: Mapping[str, ErrorCode] = {row.code: row for row in _ROWS}
"""Code -> its row."""
