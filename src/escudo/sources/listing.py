"""What a user names -> the files that are there, none of them opened; ``opening`` opens them, here
or on another machine.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from escudo.core.errors import Diagnostic, Severity, Span
from escudo.sources.format_detection import Format

STDIN = "-"
PASSED_OVER = frozenset(
    {
        *(".git", ".svn", ".hg", ".bzr", "cvs"),
        *("node_modules", "__pycache__", ".venv", ".tox", ".mypy_cache", ".pytest_cache"),
        *(".ds_store", "__macosx", ".spotlight-v100", ".trashes", ".fseventsd"),
        *("$recycle.bin", "system volume information", "thumbs.db", "desktop.ini", "lost+found"),
    }
)
"""Files and folders, in lower case, that version control, tools and file systems keep for
themselves; one that a user names is read."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of the bytes of a log, which hold whole events of a format; ``line`` is the number of
    the first line among them."""

    format: Format
    begin: int
    end: int
    line: int


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file to open later, maybe elsewhere; ``asked`` is whether the user named it, ``folder`` the
    one that he named instead.

    ``url``: where it is if on no machine; ``path`` is then that of a copy. ``modified``: when it
    was written, where a copy would not say. ``piece``: what of it is opened, if not all.
    """

    path: Path
    asked: bool
    size: int
    folder: str | None = None
    url: str | None = None
    modified: float | None = None
    piece: Piece | None = None

    @property
    def name(self) -> str:
        """What it is called in the lake."""
        return self.url or str(self.path)


def list_files(paths: Sequence[Path | str]) -> Iterator[ListedFile | Diagnostic]:
    """The files that ``open_logs`` would open, in its order, none of which is opened; what of the
    folders it would say, but for those that hold no logs. Pipes and standard input are left out.

    >>> [d.code for d in list_files(["/nonexistent"])]
    ['SRC001']
    """
    for given in paths:
        path = Path(given)
        if path.is_dir():
            passed: Counter[str] = Counter()
            for below in walk_folder(path, passed):
                if (listed := _list_file(below, path)) is not None:
                    yield listed
            yield from tell_passed(path, passed)
        elif str(given) != STDIN and not path.exists():
            yield make_problem("SRC001", str(given), "no such file or directory", Severity.ERROR)
        elif path.is_file():
            listed = _list_file(path, None)
            if listed is not None:
                yield listed


def _list_file(path: Path, folder: Path | None) -> ListedFile | None:
    """A file, also one that cannot be looked at: who opens it says so; None for what is none."""
    try:
        size = path.stat().st_size
    except OSError:
        size = 0
    else:
        if not path.is_file():
            return None
    return ListedFile(path, folder is None, size, None if folder is None else str(folder))


def tell_empty_folder(folder: Path | str) -> Diagnostic:
    """What is said of a folder none of whose files is a log."""
    return make_problem("SRC005", str(folder), "no logs in this directory", Severity.ERROR)


def make_problem(code: str, name: str, message: str, severity: Severity) -> Diagnostic:
    """What is wrong with a file, or with what a user named."""
    return Diagnostic(code, message, severity, Span(name, 1, 1, 1, 1))


def walk_folder(folder: Path, passed: Counter[str]) -> Iterator[Path]:
    """The files under a folder, in a stable order; what is passed over is counted."""
    for directory, below, names in os.walk(folder, followlinks=False, onerror=None):
        passed.update(name for name in (*below, *names) if name.lower() in PASSED_OVER)
        below[:] = sorted(name for name in below if name.lower() not in PASSED_OVER)
        for name in sorted(names):
            if name.lower() not in PASSED_OVER:
                yield Path(directory) / name


def tell_passed(folder: Path | str, passed: Counter[str]) -> Iterator[Diagnostic]:
    """What is said of files and folders of ``PASSED_OVER``, by their number."""
    if passed:
        told = ", ".join(f"{name} ({n:,})" if n > 1 else name for name, n in sorted(passed.items()))
        message = f"{passed.total():,} passed over, which hold no logs: {told}"
        yield make_problem("SRC040", str(folder), message, Severity.INFO)
