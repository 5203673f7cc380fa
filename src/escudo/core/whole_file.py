"""A path -> a file that is there whole or not at all; called by who writes for a user."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from escudo.core.errors import EscudoError


def check_place(path: Path) -> None:
    """Raises SYS002 where no file can be written at a path."""
    try:
        if path.is_dir():
            raise EscudoError("SYS002", f"{path} cannot be written: it is a folder")
        if not _is_device(path):
            with tempfile.TemporaryFile(dir=_follow(path).parent):
                pass
    except OSError as error:
        raise _unwritable(path, error) from error


@contextmanager
def write_whole(path: Path) -> Iterator[BinaryIO]:
    """A stream whose content is in the file once it is closed without an error; otherwise what was
    there stays. A device or a pipe is written to directly.

    >>> wanted = Path(tempfile.mkdtemp()) / "rows.csv"
    >>> with write_whole(wanted) as stream:
    ...     _ = stream.write(b"a")
    >>> wanted.read_text()
    'a'

    Raises:
        EscudoError: SYS002 where the file cannot be written.
    """
    try:
        if _is_device(path):
            with path.open("wb") as stream:
                yield stream
            return
        place = _follow(path)
        draft = place.with_name(f".{place.name[:100]}.{os.getpid()}.part")
        try:
            with draft.open("wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            draft.replace(place)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error


def _follow(path: Path) -> Path:
    """The file that a path stands for, links followed; of a link to itself the link."""
    return Path(os.path.realpath(path))


def _is_device(path: Path) -> bool:
    return path.exists() and not path.is_file()


def _unwritable(path: Path, error: OSError) -> EscudoError:
    words = os.strerror(error.errno) if error.errno else "the system does not say why"
    return EscudoError("SYS002", f"{path} cannot be written: {words}")
