"""Parts of work -> what Spark's workers make of them; ingests have it as a ``Spread``."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa
from pyspark.sql import SparkSession

from escudo.core.errors import EscudoError
from escudo.engines.spark.session import SPARK_ERRORS, count_cores, explain_error

_NUMBER, _RESULT = "number", "result"


class SparkSpread:
    """Spark's tasks, one for each part."""

    def __init__(self, session: SparkSession) -> None:
        self._session = session

    @property
    def at_once(self) -> int:
        """Tasks at once."""
        return count_cores(self._session)

    def map(self, work: Callable[[bytes], bytes], parts: Sequence[bytes]) -> list[bytes]:
        """What the function gives for each part. A part whose worker dies is worked on again.

        Raises:
            EscudoError: ENG009 where a part failed as often as Spark tries (four times).
        """
        if not parts:
            return []
        known = tuple(parts)

        def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in batches:
                for number in batch.column(0).to_pylist():
                    result = pa.array([work(known[number])], pa.binary())
                    columns = [pa.array([number], pa.int64()), result]
                    yield pa.RecordBatch.from_arrays(columns, names=[_NUMBER, _RESULT])

        # A range has a partition for each of its numbers, so a part is a task.
        numbers = self._session.range(0, len(known), 1, len(known))
        schema = f"{_NUMBER} bigint, {_RESULT} binary"
        tag = f"escudo-{uuid.uuid4().hex}"
        self._session.addTag(tag)
        try:
            rows = numbers.mapInArrow(run, schema).toArrow()
        except SPARK_ERRORS as error:
            raise EscudoError("ENG009", f"Spark: {explain_error(error)}") from error
        except BaseException:
            self._session.interruptTag(tag)  # the workers would go on
            raise
        finally:
            self._session.removeTag(tag)
        results = dict(zip(rows[_NUMBER].to_pylist(), rows[_RESULT].to_pylist(), strict=True))
        return [results[number] for number in range(len(known))]
