"""A Delta table at a version -> its rows as a data frame of Spark, where the session has Delta's
connector; the engine asks, and reads the list of files where there is none."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql.functions import lit

from escudo.core.catalog import TableVersion
from escudo.core.event_log import log_event
from escudo.engines.spark.session import SPARK_ERRORS

_CONNECTOR = "delta"
_S3 = "s3://"
_TOLD = 300
"""Characters of Spark's message that are logged."""


class DeltaReader:
    """Reads Delta tables of one session, for as long as that can.

    Delta's log gives Spark each file's size and the bounds of its times: none is listed, and those
    that a condition rules out are not opened.
    """

    def __init__(self, session: SparkSession) -> None:
        self._session = session
        self._able = True
        self._tried = False

    def read(self, table: TableVersion, kinds: Mapping[str, str]) -> DataFrame | None:
        """Some columns of a table, by name and type of Spark's SQL; NULL for one that the table has
        not. None where the session has no connector, or cannot read the table."""
        if not self._able:
            return None
        try:
            options = self._session.read.format(_CONNECTOR).option("versionAsOf", table.version)
            frame = options.load(name_for_hadoop(table.location))
            present = frozenset(frame.columns)
            if not self._tried:
                # A connector of another version of Spark fails only when it reads.
                frame.limit(1).toArrow()
                self._tried = True
        except SPARK_ERRORS as error:
            self._able = False
            log_event("delta not read by Spark", table=table.location, text=str(error)[:_TOLD])
            return None

        def pick(name: str, kind: str) -> Column:
            column = frame[quote(name)] if name in present else lit(None)
            return column.cast(kind).alias(name)

        return frame.select(*(pick(name, kind) for name, kind in kinds.items()))


def name_for_hadoop(place: str) -> str:
    """The path or URL of a file as Hadoop's file systems take it: theirs for S3 is ``s3a``
    (Hadoop, "Hadoop-AWS module").

    >>> name_for_hadoop("s3://logs/lake/a.parquet"), name_for_hadoop("/srv/lake/a.parquet")
    ('s3a://logs/lake/a.parquet', '/srv/lake/a.parquet')
    """
    return f"s3a://{place.removeprefix(_S3)}" if place.startswith(_S3) else place


def quote(name: str) -> str:
    """A column's name as Spark's SQL takes any.

    >>> quote("a.b")
    '`a.b`'
    """
    escaped = name.replace("`", "``")
    return f"`{escaped}`"
