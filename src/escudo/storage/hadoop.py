"""A path in HDFS as a storage, by Arrow and Hadoop's own library; ``opening`` imports it.

``libhdfs`` comes with Hadoop: HADOOP_HOME, JAVA_HOME and CLASSPATH say where it is, as for any of
its programs, and HADOOP_CONF_DIR what cluster it is; delta-rs reads the latter itself.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pyarrow as pa
import pyarrow.fs as fs

from escudo.core.errors import EscudoError
from escudo.storage.storage import Storage, Stored


@dataclass(frozen=True, slots=True)
class HadoopFolder:
    """A ``Storage`` at a URL such as ``hdfs://namenode:8020/path``."""

    url: str

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]

    @property
    def path(self) -> Path | None:
        return None

    @property
    def options(self) -> Mapping[str, str] | None:
        return {}

    def below(self, name: str) -> Storage:
        return HadoopFolder(f"{self.url}/{name}")

    def place(self, name: str) -> str:
        return f"{self.url}/{name}"

    def find(self, name: str) -> Stored | None:
        told = self._files().get_file_info(self._key(name))
        return _describe(name, told) if told.type == fs.FileType.File else None

    def list_files(self, *, begin: str = "") -> Iterator[Stored]:
        for told in self._look():
            if told.type == fs.FileType.File and told.base_name.startswith(begin):
                yield _describe(told.base_name, told)

    def list_folders(self) -> list[str]:
        return sorted(t.base_name for t in self._look() if t.type == fs.FileType.Directory)

    def read(self, name: str) -> bytes:
        with self._files().open_input_stream(self._key(name)) as stream:
            return bytes(stream.read())

    def read_range(self, name: str, start: int, end: int) -> bytes:
        """The bytes of a file from one place to before another."""
        with self._files().open_input_file(self._key(name)) as file:
            return bytes(file.read_at(end - start, start))

    def read_end(self, name: str, size: int) -> tuple[int, bytes]:
        """A file's size, and its last bytes."""
        with self._files().open_input_file(self._key(name)) as file:
            whole = int(file.size())
            start = max(0, whole - size)
            return whole, bytes(file.read_at(whole - start, start))

    def write(self, name: str, content: bytes, *, new: bool = False) -> bool:
        if new and self.find(name) is not None:
            return False
        draft, key = self._prepare(name)
        with self._files().open_output_stream(draft) as out:
            out.write(content)
        self._files().move(draft, key)
        return True

    def take(self, file: Path, name: str) -> None:
        draft, key = self._prepare(name)
        with file.open("rb") as source, self._files().open_output_stream(draft) as out:
            shutil.copyfileobj(source, out, 8 << 20)
        self._files().move(draft, key)
        file.unlink()

    def fetch(self, name: str, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        copy = folder / PurePosixPath(name).name
        with self._files().open_input_stream(self._key(name)) as source, copy.open("wb") as out:
            shutil.copyfileobj(source, out, 8 << 20)
        return copy

    def delete(self, name: str) -> None:
        if self.find(name) is not None:
            self._files().delete_file(self._key(name))

    def _prepare(self, name: str) -> tuple[str, str]:
        """Where a file is written, and where it goes when it is whole."""
        key = self._key(name)
        folder, _, last = key.rpartition("/")
        self._files().create_dir(folder, recursive=True)
        return f"{folder}/.{last}.{uuid4().hex}", key

    def _look(self) -> list[Any]:
        selector = fs.FileSelector(self._key(""), allow_not_found=True)
        return sorted(self._files().get_file_info(selector), key=lambda told: str(told.base_name))

    def _key(self, name: str) -> str:
        return f"{urlsplit(self.url).path}/{name}".rstrip("/")

    def _files(self) -> Any:
        parts = urlsplit(self.url)
        return _connect(f"{parts.scheme}://{parts.netloc}")


def _describe(name: str, told: Any) -> Stored:
    return Stored(name, int(told.size), told.mtime.timestamp())


@lru_cache(maxsize=4)
def _connect(url: str) -> Any:
    try:
        return fs.FileSystem.from_uri(f"{url}/")[0]
    except (OSError, pa.ArrowException) as error:
        raise EscudoError("STO001", f"{url}: {str(error).partition(chr(10))[0]}") from error
