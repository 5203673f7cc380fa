"""A path or URL -> the storage there; the lake and readers of its files call it."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from urllib.parse import unquote, urlsplit

from escudo.core.errors import EscudoError
from escudo.storage.folder import Folder
from escudo.storage.storage import Storage

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_WRITTEN = re.compile(r"[A-Za-z0-9._~=+@:/-]*")
"""What Delta writes unchanged into a request; others it would encode twice (delta-rs 1.6)."""
_ALIASES = {"s3a": "s3", "gcs": "gs", "azure": "az", "adl": "abfs"}
BUCKETS = frozenset({"s3", "gs", "az", "abfs", "abfss"})
HADOOP = frozenset({"hdfs", "viewfs"})


def find_scheme(place: str) -> str | None:
    """The scheme of a URL in lower case; None for a path of this machine.

    >>> find_scheme("S3://bucket/lake"), find_scheme("lake"), find_scheme("c:/lake")
    ('s3', None, None)
    """
    match = _URL.match(place)
    return match[1].lower() if match else None


def is_storage(place: str) -> bool:
    """Whether a URL has the scheme of a storage that is not on this machine.

    >>> is_storage("s3a://bucket/raw"), is_storage("https://example.org"), is_storage("raw")
    (True, False, False)
    """
    scheme = find_scheme(place) or ""
    return _ALIASES.get(scheme, scheme) in BUCKETS | HADOOP


@lru_cache(maxsize=1024)
def open_storage(place: str) -> Storage:
    """The storage at a path or URL; nothing is asked of it yet.

    Raises:
        EscudoError: STO003 for a URL that is none of a storage, STO004 where what is needed is
            not installed.

    >>> open_storage("lake").url, open_storage("file:///srv/lake").url
    ('lake', '/srv/lake')
    >>> open_storage("s3a://bucket/lake/").url
    's3://bucket/lake'
    """
    scheme = find_scheme(place)
    if scheme is None:
        return Folder(Path(place))
    parts = urlsplit(place)
    if scheme == "file":
        return Folder(Path(unquote(parts.path)))
    scheme = _ALIASES.get(scheme, scheme)
    if scheme not in BUCKETS | HADOOP:
        raise EscudoError("STO003", f"{scheme}:// is no storage that a lake can be in")
    if not parts.netloc or parts.query or parts.fragment or not _WRITTEN.fullmatch(parts.path):
        raise EscudoError("STO003", f"{place} is not a URL that can be used")
    if parts.password is not None:
        raise EscudoError("STO003", "a URL of a lake has no password: use the environment")
    url = f"{scheme}://{parts.netloc}/{parts.path.strip('/')}".rstrip("/")
    try:
        if scheme in HADOOP:
            hadoop: Storage = import_module("escudo.storage.hadoop").HadoopFolder(url)
            return hadoop
        bucket: Storage = import_module("escudo.storage.bucket").Bucket(url)
    except ModuleNotFoundError as error:
        raise EscudoError("STO004", f"{place} cannot be read: {error.name} is missing") from error
    return bucket
