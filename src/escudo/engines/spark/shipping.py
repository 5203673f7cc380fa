"""This package -> an archive that Spark's workers import it from; ``session`` ships it.

The archive is a zip on the path of the workers' Python, as ``--py-files`` and ``addArtifacts`` put
it there. The package reads files beside its modules, which an import from a zip cannot give it. So
the archive's ``escudo`` unpacks itself beside the zip, once for all workers of an executor, and is
the package there.
"""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import escudo

_PARTS = ("core", "storage", "spl", "engines", "sources", "cim", "lake")
"""What runs on workers: functions of searches, and ingest. These import nothing of the others."""
_EPOCH = (1980, 1, 1, 0, 0, 0)
_FIRST = "escudo/__init__.py"
_INSIDE = "unpacked/"
_BOOTSTRAP = '''\
"""Unpacks the package beside its archive, once, and is the package there."""

import os
import shutil
import tempfile
import zipfile

_archive = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_name = os.path.basename(_archive).removesuffix(".zip")


def _unpack(parent):
    """The folder with the package; it is there as a whole or not at all."""
    folder = os.path.join(parent, f"{_name}-{os.getuid() if hasattr(os, 'getuid') else 0}")
    if not os.path.isdir(folder):
        draft = tempfile.mkdtemp(prefix=f".{_name}-", dir=parent)
        with zipfile.ZipFile(_archive) as archive:
            archive.extractall(draft, [n for n in archive.namelist() if n.startswith("INSIDE")])
        try:
            os.rename(draft, folder)
        except OSError:
            shutil.rmtree(draft, ignore_errors=True)
            if not os.path.isdir(folder):
                raise
    return os.path.join(folder, "INSIDE".rstrip("/"), "escudo")


try:
    __path__ = [_unpack(os.path.dirname(_archive))]
except OSError:
    __path__ = [_unpack(tempfile.gettempdir())]
__file__ = os.path.join(__path__[0], "__init__.py")
with open(__file__, encoding="utf-8") as _source:
    exec(compile(_source.read(), __file__, "exec"))
'''


@lru_cache(maxsize=1)
def build_archive() -> Path:
    """The archive of this package, in a temporary folder of this process; its name tells its
    content, so that a cluster that has had another version takes this one.

    >>> build_archive().name.startswith("escudo-")
    True
    """
    files = list(_list_files())
    digest = hashlib.blake2b(digest_size=8)
    for name, content in files:
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    archive = _keep_folder() / f"escudo-{digest.hexdigest()}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in files:
            out.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)
    return archive


@lru_cache(maxsize=1)
def _hold_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="escudo-ship-", ignore_cleanup_errors=True)


def _keep_folder() -> Path:
    return Path(_hold_folder().name)


def _list_files() -> Iterator[tuple[str, bytes]]:
    """The names and contents of the archive, in a stable order."""
    root = Path(escudo.__path__[0])
    yield _FIRST, _BOOTSTRAP.replace("INSIDE", _INSIDE).encode()
    yield f"{_INSIDE}{_FIRST}", (root / "__init__.py").read_bytes()
    for part in _PARTS:
        for file in sorted((root / part).rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".pyc":
                yield f"{_INSIDE}escudo/{file.relative_to(root).as_posix()}", file.read_bytes()
