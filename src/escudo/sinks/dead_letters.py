"""Findings that a sink did not take -> a file of JSON lines, and from it again; ``dispatch`` keeps
them, ``actions.redelivery`` sends them again.

A line has ``sink`` (its name), ``reason``, ``time`` (when it was given up) and the ``finding``.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import orjson

from escudo.core.errors import EscudoError
from escudo.core.timerange import iso_utc
from escudo.core.whole_file import write_whole
from escudo.sinks.files import dump
from escudo.sinks.sink import Failure, Finding


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A finding that a sink did not take."""

    sink: str
    reason: str
    time: str
    finding: Finding

    def dump(self) -> bytes:
        """Its line."""
        row = {
            "sink": self.sink,
            "reason": self.reason,
            "time": self.time,
            "finding": dict(self.finding),
        }
        return dump(row) + b"\n"


class DeadLetters:
    """A dead-letter file; several processes may add to it, and send from it, at once."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def keep(self, sink: str, failures: Sequence[Failure]) -> None:
        """Adds findings to the file, which is on the disk then.

        Raises:
            EscudoError: SYS002 where it cannot be written.
        """
        at = iso_utc(time.time())
        letters = [DeadLetter(sink, f.reason, at, x) for f in failures for x in f.findings]
        with self._open() as file:
            file.seek(0, os.SEEK_END)
            size = file.tell()
            try:
                file.write(b"".join(letter.dump() for letter in letters))
                _sync(file)
            except OSError:
                file.truncate(size)
                raise

    @contextmanager
    def take(self) -> Iterator[tuple[list[DeadLetter], list[DeadLetter]]]:
        """All letters, and a list for those that stay. At the end of the block these are what is in
        the file; where the block raises, all stay. Others wait meanwhile.

        Raises:
            EscudoError: SNK007 for a file of something else, SYS002 where it cannot be written.
        """
        with self._open() as file:
            letters = [_read(line, number) for number, line in enumerate(file, 1)]
            left: list[DeadLetter] = []
            yield letters, left
            with write_whole(self.path) as whole:  # a crash leaves the old file or the new one
                whole.write(b"".join(letter.dump() for letter in left))

    @contextmanager
    def _open(self) -> Iterator[BinaryIO]:
        """The file, alone; one that was replaced while it was waited for is opened anew."""
        try:
            while True:
                handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
                with os.fdopen(handle, "r+b") as file:
                    fcntl.flock(file, fcntl.LOCK_EX)
                    if os.path.samestat(os.fstat(file.fileno()), os.stat(self.path)):
                        yield file
                        return
        except OSError as error:
            message = f"dead letters {self.path}: {error.strerror}"
            raise EscudoError("SYS002", message) from error


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _read(line: bytes, number: int) -> DeadLetter:
    try:
        row = orjson.loads(line)
        finding = dict(row["finding"].items())
        return DeadLetter(str(row["sink"]), str(row["reason"]), str(row["time"]), finding)
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise EscudoError("SNK007", f"line {number} is no dead letter") from error
