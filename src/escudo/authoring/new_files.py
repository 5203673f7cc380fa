"""Files that are not there yet -> the disk, all or none; what makes content calls it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from escudo.authoring.scaffold.new_file import NewFile
from escudo.core.errors import EscudoError


def write_files(root: Path, files: Iterable[NewFile]) -> Sequence[Path]:
    """Writes files below a folder; the paths of those that were not there.

    Nothing is overwritten, and links out of the folder are not followed: a file is made only where
    there is none. Where one cannot be written, those before it are taken away again, with the
    folders that were made for them.

    Raises:
        EscudoError: AUT002 where one is there (unless it is ``kept``), SYS002 where one cannot be
            written.
    """
    wanted = list(files)
    for file in wanted:
        if not file.kept and os.path.lexists(root / file.path):
            raise EscudoError("AUT002", f"{root / file.path} is there already")
    made: list[Path] = []
    folders: list[Path] = []
    try:
        for file in wanted:
            path = root / file.path
            if file.kept and os.path.lexists(path):
                continue
            _make_folder(path.parent, folders)
            with path.open("xb") as stream:
                made.append(path)
                stream.write(file.data)
    except BaseException as error:
        for path in made:
            with suppress(OSError):
                path.unlink()
        for folder in reversed(folders):
            with suppress(OSError):
                folder.rmdir()
        if isinstance(error, FileExistsError):
            raise EscudoError("AUT002", f"{error.filename} is there already") from error
        if isinstance(error, OSError):
            reason = error.strerror or str(error)
            message = f"{error.filename or root} cannot be written: {reason}"
            raise EscudoError("SYS002", message) from error
        raise
    return made


def _make_folder(folder: Path, made: list[Path]) -> None:
    """Makes a folder with those above it, each noted once it is there."""
    if not folder.is_dir():
        _make_folder(folder.parent, made)
        folder.mkdir()
        made.append(folder)
