"""What every storage does; ``folder``, ``bucket`` and ``hadoop`` are those that there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Stored:
    """A file of a storage: its name below it, bytes, when it was written in epoch seconds."""

    name: str
    size: int
    modified: float


class Storage(Protocol):
    """Files below a folder or a URL, by names with ``/`` between their parts.

    What is written is there as a whole or not at all, and stays when the machine fails. A storage
    may be sent to another process. Its errors are ``FileNotFoundError``, other ``OSError`` for a
    folder, and the codes STO001, STO002 for what is not on this machine.
    """

    @property
    def url(self) -> str:
        """What messages call it, and Delta opens: a path, or a URL."""

    @property
    def name(self) -> str:
        """Its last part."""

    @property
    def options(self) -> Mapping[str, str] | None:
        """What Delta needs beside the URL; no credentials, which it takes from the environment."""

    @property
    def path(self) -> Path | None:
        """The folder on this machine; None where it is none."""

    def below(self, name: str) -> Storage:
        """The part of it below a name."""

    def place(self, name: str) -> str:
        """What readers of a file open (``open_file``, an engine): a path, or a URL."""

    def find(self, name: str) -> Stored | None:
        """A file; None where there is none."""

    def list_files(self, *, begin: str = "") -> Iterator[Stored]:
        """Its files, not those of folders in it, whose names begin so."""

    def list_folders(self) -> list[str]:
        """The names of the folders in it."""

    def read(self, name: str) -> bytes:
        """The content of a file."""

    def read_range(self, name: str, start: int, end: int) -> bytes:
        """The bytes of a file from one place to before another."""

    def write(self, name: str, content: bytes, *, new: bool = False) -> bool:
        """Puts a file in its place. With ``new`` nothing is done where there is one; says whether
        it was written."""

    def take(self, file: Path, name: str) -> None:
        """Moves a finished file of this machine to its place."""

    def fetch(self, name: str, folder: Path) -> Path:
        """A file on this machine with the content: its own, or a copy of it in a folder."""

    def delete(self, name: str) -> None:
        """Deletes a file, if it is there."""
