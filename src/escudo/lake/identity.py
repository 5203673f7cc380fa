"""What makes two files the same: their content."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from escudo.core.errors import EscudoError


@dataclass(frozen=True, slots=True)
class Identity:
    """A file's size in bytes and the SHA-256 of its content, in hex."""

    size: int
    sha256: str


def identify(path: Path) -> Identity:
    """Reads a file once and identifies it: LAK011 if it cannot be read.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "a.log")
    ...     _ = file.write_bytes(b"")
    ...     identify(file)
    Identity(size=0, sha256='e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    """
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256")
            return Identity(stream.tell(), digest.hexdigest())
    except OSError as error:
        raise EscudoError("LAK011", f"{path}: {error.strerror}") from error
