"""A folder of this machine as a storage."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from escudo.storage.storage import Storage, Stored


@dataclass(frozen=True, slots=True)
class Folder:
    """A ``Storage`` that is a folder; it need not be there before something is written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as path:
    ...     folder = Folder(Path(path)).below("lookups")
    ...     _ = folder.write("a.csv", b"x")
    ...     folder.read("a.csv"), [stored.name for stored in folder.list_files()]
    (b'x', ['a.csv'])
    """

    path: Path

    @property
    def url(self) -> str:
        return str(self.path)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def options(self) -> Mapping[str, str] | None:
        return None

    def below(self, name: str) -> Storage:
        return Folder(self.path / name)

    def place(self, name: str) -> str:
        return str(self.path / name)

    def find(self, name: str) -> Stored | None:
        path = self.path / name
        try:
            state = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return Stored(name, state.st_size, state.st_mtime) if path.is_file() else None

    def list_files(self, *, begin: str = "") -> Iterator[Stored]:
        with suppress(FileNotFoundError, NotADirectoryError):
            for name in sorted(os.listdir(self.path)):
                if name.startswith(begin) and (stored := self.find(name)) is not None:
                    yield stored

    def list_folders(self) -> list[str]:
        if not self.path.is_dir():
            return []
        return sorted(entry.name for entry in self.path.iterdir() if entry.is_dir())

    def read(self, name: str) -> bytes:
        return (self.path / name).read_bytes()

    def read_range(self, name: str, start: int, end: int) -> bytes:
        with (self.path / name).open("rb") as file:
            file.seek(start)
            return file.read(end - start)

    def write(self, name: str, content: bytes, *, new: bool = False) -> bool:
        path = self.path / name
        if new and path.exists():
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        self._put(draft, path)
        return True

    def take(self, file: Path, name: str) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with file.open("rb") as stream:
            os.fsync(stream.fileno())
        try:
            self._put(file, path)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            self.write(name, file.read_bytes())  # from another disk
            file.unlink()

    def _put(self, file: Path, path: Path) -> None:
        os.replace(file, path)
        sync_folder(path.parent)

    def fetch(self, name: str, folder: Path) -> Path:
        return self.path / name

    def delete(self, name: str) -> None:
        (self.path / name).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Waits until the names in a folder are on the disk, where the system can do that."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
