"""A path -> a file that is there whole or not at all; called by who writes what a user keeps."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from escudo.core.errors import EscudoError


@contextmanager
def write_whole(path: Path) -> Iterator[Path]:
    """A path beside the file, to be written; at the end it takes the file's place.

    Where the writing fails or is stopped, the file stays as it was. A device or pipe is written
    itself.

    >>> import tempfile
    >>> wanted = Path(tempfile.mkdtemp()) / "rows.csv"
    >>> with write_whole(wanted) as part:
    ...     _ = part.write_text("a")
    >>> wanted.read_text()
    'a'

    Raises:
        EscudoError: SYS002 where the file cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if path.exists() and not path.is_file():
            yield path
            return
        try:
            yield part
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror or error}"
        raise EscudoError("SYS002", message) from error
