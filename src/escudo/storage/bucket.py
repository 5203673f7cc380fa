"""A path in a bucket (S3, Google, Azure) as a storage, by obstore; ``opening`` imports it.

Delta reads and writes its logs with the same Rust crate and the same variables of the environment,
so what opens one opens the other. The crate tries a request again where the server fails; what it
gives up in the middle of an answer is tried again here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TypeVar
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    NotSupportedError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import ObjectStore, from_url

from escudo.core.errors import EscudoError
from escudo.storage.retrying import PATIENCE, ask_again
from escudo.storage.storage import Storage, Stored

T = TypeVar("T")

ATTEMPTS = 4
"""How often a request is made that the crate itself has given up."""
_PREFIXES = ("AWS_", "AZURE_", "GOOGLE_")
_TIMEOUT = "60s"
"""For one answer; a file of 128 MB goes in parts."""
_CONNECT_TIMEOUT = "5s"
_RETRIES = 8


@dataclass(frozen=True, slots=True)
class Bucket:
    """A ``Storage`` at a URL such as ``s3://bucket/path``."""

    url: str

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]

    @property
    def path(self) -> Path | None:
        return None

    @property
    def options(self) -> Mapping[str, str] | None:
        told = {
            "timeout": _TIMEOUT,
            "connect_timeout": _CONNECT_TIMEOUT,
            "max_retries": str(_RETRIES),
            "retry_timeout": f"{PATIENCE:.0f}s",
        }
        return {**told, "allow_http": "true"} if _is_plain() else told

    def below(self, name: str) -> Storage:
        return Bucket(f"{self.url}/{name}")

    def place(self, name: str) -> str:
        return f"{self.url}/{name}"

    def find(self, name: str) -> Stored | None:
        try:
            meta = self._ask(lambda store: obstore.head(store, self._key(name)))
        except FileNotFoundError:
            return None
        return Stored(name, meta["size"], meta["last_modified"].timestamp())

    def list_files(self, *, begin: str = "") -> Iterator[Stored]:
        prefix = self._key("").rstrip("/")
        start = len(prefix) + 1 if prefix else 0
        # A store lists what is after a name; what begins so comes first.
        offset = f"{prefix}/{begin}" if begin else None
        yield from self._ask(lambda store: list(_list(store, prefix, offset, begin, start)))

    def list_folders(self) -> list[str]:
        prefix = self._key("").rstrip("/")
        told = self._ask(lambda store: obstore.list_with_delimiter(store, prefix or None))
        return sorted(PurePosixPath(p).name for p in told["common_prefixes"])

    def read(self, name: str) -> bytes:
        return self._ask(lambda store: bytes(obstore.get(store, self._key(name)).bytes()))

    def read_range(self, name: str, start: int, end: int) -> bytes:
        """The bytes of a file from one place to before another."""
        key = self._key(name)
        return self._ask(lambda store: bytes(obstore.get_range(store, key, start=start, end=end)))

    def read_end(self, name: str, size: int) -> tuple[int, bytes]:
        """A file's size, and its last bytes, in one request where the store can."""

        def read(store: ObjectStore) -> tuple[int, bytes]:
            key = self._key(name)
            with suppress(NotSupportedError):
                got = obstore.get(store, key, options={"range": {"suffix": size}})
                return got.meta["size"], bytes(got.bytes())
            whole = obstore.head(store, key)["size"]
            start = max(0, whole - size)
            if start == whole:
                return whole, b""
            return whole, bytes(obstore.get_range(store, key, start=start, end=whole))

        return self._ask(read)

    def write(self, name: str, content: bytes, *, new: bool = False) -> bool:
        key = self._key(name)
        if not new:
            self._ask(lambda store: obstore.put(store, key, content))
            return True
        try:
            self._ask(lambda store: obstore.put(store, key, content, mode="create"))
        except AlreadyExistsError:
            # It may be our own, whose answer was lost.
            return self.read(name) == content
        return True

    def take(self, file: Path, name: str) -> None:
        self._ask(lambda store: obstore.put(store, self._key(name), file))
        file.unlink()

    def fetch(self, name: str, folder: Path) -> Path:
        copy = folder / PurePosixPath(name).name

        def fetch(store: ObjectStore) -> None:
            with copy.open("wb") as file:
                for part in obstore.get(store, self._key(name)).stream(min_chunk_size=8 << 20):
                    file.write(part)

        folder.mkdir(parents=True, exist_ok=True)
        self._ask(fetch)
        return copy

    def delete(self, name: str) -> None:
        with suppress(FileNotFoundError):
            self._ask(lambda store: obstore.delete(store, self._key(name)))

    def _key(self, name: str) -> str:
        prefix = urlsplit(self.url).path.strip("/")
        return f"{prefix}/{name}".strip("/") if prefix else name

    def _ask(self, request: Callable[[ObjectStore], T]) -> T:
        """The answer to a request, which is made again while the storage fails."""
        try:
            store = _connect(self.url.split("/", 3)[2], self.url.split("://")[0], _tell_settings())
            return ask_again(
                lambda: request(store), _may_work_later, attempts=ATTEMPTS, patience=PATIENCE
            )
        except (FileNotFoundError, AlreadyExistsError):
            raise
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise EscudoError("STO002", f"{self.url}: no right to this") from error
        except BaseError as error:
            raise EscudoError("STO001", f"{self.url}: {_explain(error)}") from error


def _list(
    store: ObjectStore, prefix: str, offset: str | None, begin: str, start: int
) -> Iterator[Stored]:
    for page in obstore.list(store, prefix or None, offset=offset):
        for meta in page:
            name = meta["path"][start:]
            if begin and not name.startswith(begin):
                if name > begin:
                    return
                continue
            if "/" not in name:
                yield Stored(name, meta["size"], meta["last_modified"].timestamp())


def _may_work_later(error: Exception) -> bool:
    refused = FileNotFoundError | AlreadyExistsError | PermissionDeniedError | UnauthenticatedError
    return isinstance(error, BaseError) and not isinstance(error, refused | NotSupportedError)


def _explain(error: Exception) -> str:
    """What went wrong, in a few words of ours: the crate's text has addresses and headers."""
    text = str(error).lower()
    for sign, words in _SIGNS:
        if sign in text:
            return words
    return "it does not answer"


_SIGNS = (
    ("dns error", "its name is not known"),
    ("connection refused", "nothing listens there"),
    ("nosuchbucket", "there is no such bucket"),
    ("timed out", "it did not answer in time"),
    ("server error", "it answers with an error of its own"),
    ("missing credential", "there are no credentials"),
    ("metadata", "there are no credentials"),
)


def _is_plain() -> bool:
    """Whether the endpoint that the environment names is one without TLS."""
    names = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT", "AZURE_STORAGE_ENDPOINT")
    return any(os.environ.get(name, "").startswith("http://") for name in names)


def _tell_settings() -> tuple[tuple[str, str], ...]:
    return tuple(sorted(i for i in os.environ.items() if i[0].startswith(_PREFIXES)))


@lru_cache(maxsize=16)
def _connect(host: str, scheme: str, settings: tuple[tuple[str, str], ...]) -> ObjectStore:
    """The client of a bucket; another one where the environment has changed."""
    return from_url(
        f"{scheme}://{host}",
        client_options={
            "timeout": _TIMEOUT,
            "connect_timeout": _CONNECT_TIMEOUT,
            "allow_http": _is_plain(),
        },
        retry_config={
            "max_retries": _RETRIES,
            "retry_timeout": timedelta(seconds=PATIENCE),
        },
    )
