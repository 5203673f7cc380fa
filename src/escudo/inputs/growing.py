"""Folders and files -> pieces of those that grow, and those that are read whole, round by round;
``following`` asks for a round whenever something has changed.

A file that is rotated (renamed, and a new one made; or copied, and cut) is read to its end before
the new one begins, also where that happened while nobody looked: what was renamed is found by its
inode, a copy by its content (``position``).
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from escudo.core.errors import Diagnostic, EscudoError, Severity, Span
from escudo.inputs.position import Position, Positions, digest_ends
from escudo.inputs.tail import Piece, Tail
from escudo.sources.opening import PASSED_OVER

ROTATED_SECONDS = 10.0
"""Seconds. A renamed file that has not grown for so long has ended: its writer has opened the new
one."""

MOST_OPEN = 200
"""Files that are held open between two rounds; the others are opened when they have changed."""


@dataclass(frozen=True, slots=True)
class WholeFile:
    """A file that is read whole, since nothing has been added to it for a while; ``asked``: it was
    named itself."""

    path: Path
    position: Position
    asked: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """A file has the content that another one had: it counts as read up to there."""

    position: Position


_ROTATED = re.compile(r"[.-]\d[\d.-]*")
"""What a rotated file's name has behind that of the file: ``.1``, ``-20261129``."""

Found = Piece | WholeFile | Moved | Diagnostic


class GrowingFiles:
    """The files under some paths, as they come and grow.

    Args:
        paths: folders, with all below them, and files, which may not be there yet.
        positions: how far files have been read.
        settle: seconds without change after which a file counts as complete.
    """

    def __init__(self, paths: Sequence[Path], positions: Positions, *, settle: float) -> None:
        self._folders = [p for p in paths if p.is_dir()]
        self._named = [p for p in paths if not p.is_dir()]
        self._positions = positions
        self._settle = settle
        self._tails: dict[tuple[int, int], Tail] = {}
        self._at: dict[Path, tuple[int, int]] = {}
        self._rotated: list[Tail] = []
        self._whole: dict[Path, tuple[int, int]] = {}
        self._unsettled: set[Path] = set()
        self._more: set[Path] = set()
        self._told: set[Path] = set()
        self._begun = False

    def close(self) -> None:
        for tail in [*self._tails.values(), *self._rotated]:
            tail.close()

    @property
    def restless(self) -> bool:
        """Whether a round is due after a while though nothing has changed: something is begun, or
        has to settle."""
        return bool(self._unsettled or self._rotated)

    @property
    def has_more(self) -> bool:
        """Whether a round is due at once: a file has more than was read in its turn."""
        return bool(self._more)

    @property
    def behind(self) -> int:
        """Bytes of open files that have not been read."""
        return sum(t.behind for t in [*self._tails.values(), *self._rotated])

    def list_files(self) -> Iterator[Path]:
        """All files there are, in a stable order."""
        for folder in self._folders:
            for directory, below, names in os.walk(folder):
                below[:] = sorted(n for n in below if n.lower() not in PASSED_OVER)
                for name in sorted(names):
                    if name.lower() not in PASSED_OVER:
                        yield Path(directory) / name
        yield from self._named

    def look(self, changed: Iterable[Path] | None = None) -> Iterator[Found]:
        """What has come since the last round.

        Args:
            changed: the files that may have changed; None: look at all.
        """
        if not self._begun:
            self._begun = True
            yield from self._find_renamed()
        yield from self._drain()
        paths = self.list_files() if changed is None else self._in_scope(changed)
        more, self._more = self._more, set()
        for path in dict.fromkeys([*paths, *self._unsettled, *more]):
            yield from self._look_at(path)
        self._close_some()

    def _in_scope(self, changed: Iterable[Path]) -> list[Path]:
        """Those of some paths that are followed, a renamed file before that of its old name."""
        named = set(self._named)
        files: list[Path] = []
        for path in changed:
            inside = any(path.is_relative_to(f) for f in self._folders)
            if path in named or (inside and not _passed_over(path)):
                files.append(path)
        return sorted(files, key=lambda p: (p in self._at, str(p)))

    def _look_at(self, path: Path) -> Iterator[Found]:
        self._unsettled.discard(path)
        try:
            status = path.stat()
        except OSError:
            yield from self._leave(path)
            return
        if not path.is_file():
            return
        key = (status.st_dev, status.st_ino)
        if self._at.get(path, key) != key:
            yield from self._leave(path)
        if self._whole.get(path) == (status.st_size, status.st_mtime_ns):
            return
        tail = self._tails.get(key)
        if tail is None:
            try:
                tail = self._open(path)
                if self._is_being_copied(tail):
                    del self._tails[key]
                    tail.close()
                    self._unsettled.add(path)
                    return
            except OSError as error:
                message = f"{path} cannot be read: {error.strerror}"
                yield from self._tell("SRC002", path, message, Severity.ERROR)
                return
            if tail.known is not None and self._positions.get(*key) is None:
                yield Moved(tail.known)
        tail.path = path
        self._at[path] = key
        yield from self._read(tail, status.st_mtime)

    def _open(self, path: Path) -> Tail:
        stream = path.open("rb", buffering=0)
        tail = Tail(path, stream, None)
        known = self._positions.get(*tail.key)
        with tail.open_copy() as copy:
            if known is None or not known.agrees(copy):
                same = self._positions.find_same(copy)
                cut = known is not None and known.path == str(path)
                known = known if same is None and cut else same
            known = self._find_ahead(copy, known)
        if known is not None:
            tail.adopt(known)
        self._tails[tail.key] = tail
        return tail

    def _find_ahead(self, stream: BinaryIO, known: Position | None) -> Position | None:
        """How far an open file with the same content has been read, if that is further."""
        for other in [*self._tails.values(), *self._rotated]:
            ahead = other.known
            if (
                ahead is not None
                and (known is None or ahead.offset > known.offset)
                and ahead.agrees(stream)
            ):
                known = ahead
        return known

    def _is_being_copied(self, tail: Tail) -> bool:
        """Whether a new file holds the beginning of one that is open, and nothing else: a copy that
        is being made before that one is cut. What it has is read there; it is looked at again."""
        if tail.known is not None:
            return False
        with tail.open_copy() as copy:
            siblings = (t for t in self._tails.values() if t.key != tail.key)
            if any(t.path.parent == tail.path.parent and t.begins_with(copy) for t in siblings):
                return True
            # Where it was cut meanwhile, the copy is complete, and so is known by now.
            known = self._find_ahead(copy, self._positions.find_same(copy))
        if known is not None:
            tail.adopt(known)
        return False

    def _read(self, tail: Tail, modified: float, *, ended: bool = False) -> Iterator[Found]:
        """The new pieces of a file; the file as it is, if it is of those that are read whole."""
        path = tail.path
        if not tail.look():
            yield from self._restart(tail)
            tail.look()
        quiet = ended or time.time() - modified >= self._settle
        if tail.find_format(quiet=quiet) is not None:
            yield from tail.pieces(quiet=quiet, ended=ended, modified=modified)
            while ended and tail.has_more:
                yield from tail.pieces(quiet=quiet, ended=ended, modified=modified)
            if tail.has_more:
                self._more.add(path)
            elif tail.behind and tail.settles and not quiet:
                self._unsettled.add(path)
        elif tail.behind:
            if quiet:
                yield from self._take_whole(tail)
            else:
                self._unsettled.add(path)

    def _take_whole(self, tail: Tail) -> Iterator[Found]:
        with suppress(OSError), tail.open_copy() as copy:
            status = os.fstat(copy.fileno())
            self._whole[tail.path] = (status.st_size, status.st_mtime_ns)
            ends = digest_ends(copy, status.st_size)
            if ends is not None:
                position = Position(str(tail.path), *tail.key, status.st_size, *ends)
                tail.adopt(position)
                asked = tail.path in self._named
                yield WholeFile(tail.path, position, asked)

    def _restart(self, tail: Tail) -> Iterator[Found]:
        """A file was cut. Where it was copied before (copytruncate), the copy has what came after
        the last look; it is read first."""
        lost = tail.known
        if lost is not None:
            copy = self._find_copy(lost, tail.path, tail.key)
            if copy is not None:
                self._rotated.append(copy)
                assert copy.known is not None
                yield Moved(copy.known)
                yield from self._read(copy, 0.0, ended=True)
                yield from self._read_later(tail.path, copy.modified)
            else:
                yield Moved(lost.leave())
                message = f"{tail.path} was cut short; it is read from its new beginning"
                yield from self._tell("INP003", tail.path, message, Severity.WARNING)
        tail.restart()

    def _find_copy(
        self, position: Position, path: Path, but: tuple[int, int] | None = None
    ) -> Tail | None:
        """A file beside one that was cut or renamed which has the content of a position, open
        behind it."""
        for sibling in _list_siblings(path):
            with suppress(OSError):
                tail = Tail(sibling, sibling.open("rb", buffering=0), None)
                furthest = None
                with tail.open_copy() as stream:
                    if tail.key != but and position.agrees(stream):
                        furthest = self._positions.find_same(stream) or position
                        furthest = self._find_ahead(stream, furthest)
                if furthest is not None:
                    if tail.key in self._tails:
                        self._tails.pop(tail.key).close()
                    tail.adopt(furthest)
                    return tail
                tail.close()
        return None

    def _find_renamed(self) -> Iterator[Found]:
        """Files that were renamed while nobody looked, and still have something.

        They are found by their content: one that was copied and cut before it was renamed has
        another one now, and its copy has what was not read.
        """
        by_name = {str(p) for p in self._named}
        for position in self._positions:
            path = Path(position.path)
            if position.path not in by_name or position.is_there:
                continue
            tail = self._find_copy(position, path)
            if tail is None:
                continue
            self._rotated.append(tail)
            if tail.known is not None and self._positions.get(*tail.key) is None:
                yield Moved(tail.known)
            yield from self._drain()
            yield from self._read_later(path, tail.modified)
        for path in self._named:
            yield from self._find_rotated(path)

    def _find_rotated(self, path: Path) -> Iterator[Found]:
        """What was rotated away since the last file of a name of which something is known, where
        nothing is known of the one that has the name now."""
        family = [p for p in self._positions if _is_rotated(Path(p.path), path)]
        if not family or any(p.path == str(path) for p in self._positions):
            return
        changes = []
        for position in family:
            with suppress(OSError):
                changes.append(os.stat(position.path).st_mtime)
        if changes:
            yield from self._read_later(path, max(changes))

    def _read_later(self, path: Path, since: float) -> Iterator[Found]:
        """Reads what was written under a file's name and rotated away again since the last look.

        In a folder that is followed these files are met anyway.
        """
        if any(path.is_relative_to(folder) for folder in self._folders):
            return
        for sibling in reversed(_list_siblings(path)):
            with suppress(OSError):
                status = sibling.stat()
                key = (status.st_dev, status.st_ino)
                met = key in self._tails or any(t.key == key for t in self._rotated)
                if met or status.st_mtime < since or not _is_rotated(sibling, path):
                    continue
                tail = self._open(sibling)
                self._rotated.append(self._tails.pop(tail.key))
        yield from self._drain()

    def _leave(self, path: Path) -> Iterator[Found]:
        """Another file has the path now, or none: what was there is read to its end."""
        self._whole.pop(path, None)
        key = self._at.pop(path, None)
        tail = self._tails.get(key) if key is not None else None
        if tail is None or key is None or key in self._at.values():
            return
        if self._moved_within(tail):
            return
        del self._tails[key]
        self._rotated.append(tail)
        yield from self._drain()
        yield from self._read_later(path, tail.modified)

    def _moved_within(self, tail: Tail) -> bool:
        """Whether a file has another name in a folder that is followed: it is met again there."""
        return any(
            tail.path.is_relative_to(folder)
            and any(_has_key(path, tail.key) for path in _list_siblings(tail.path))
            for folder in self._folders
        )

    def _drain(self) -> Iterator[Found]:
        """Reads on in renamed files, and leaves those that have ended."""
        for tail in list(self._rotated):
            tail.look()
            ended = time.monotonic() - tail.grew >= ROTATED_SECONDS
            yield from self._read(tail, time.time(), ended=ended)
            if ended:
                self._rotated.remove(tail)
                tail.close()

    def _close_some(self) -> None:
        """Closes the files that have not grown for longest, beyond ``MOST_OPEN``."""
        spare = len(self._tails) - MOST_OPEN
        if spare <= 0:
            return
        idle = sorted((t for t in self._tails.values() if not t.behind), key=lambda t: t.grew)
        for tail in idle[:spare]:
            if tail.known is not None:
                self._positions.keep(tail.known)
            tail.close()
            del self._tails[tail.key]

    def _tell(self, code: str, path: Path, message: str, severity: Severity) -> Iterator[Found]:
        if path not in self._told:
            self._told.add(path)
            yield Diagnostic(code, message, severity, Span(str(path), 1, 1, 1, 1))


def _passed_over(path: Path) -> bool:
    return any(part.lower() in PASSED_OVER for part in path.parts)


def _list_siblings(path: Path) -> list[Path]:
    """The files beside one whose names begin as its own does, the newest first."""
    stem = path.name.split(".")[0]
    try:
        names = [p for p in path.parent.iterdir() if p.name.startswith(stem) and p != path]
        return sorted(names, key=lambda p: p.stat().st_mtime, reverse=True)
    except OSError:
        return []


def _is_rotated(path: Path, name: Path) -> bool:
    """Whether a file is what a log of a name was rotated to.

    >>> _is_rotated(Path("logs/app.log.1"), Path("logs/app.log"))
    True
    """
    suffix = path.name.removeprefix(name.name)
    return path.parent == name.parent and _ROTATED.fullmatch(suffix) is not None


def _has_key(path: Path, key: tuple[int, int]) -> bool:
    try:
        status = path.stat()
    except OSError:
        return False
    return (status.st_dev, status.st_ino) == key


def check_places(paths: Sequence[Path]) -> None:
    """Raises INP001 where a path is no folder, and lies in none."""
    for path in paths:
        if not path.is_dir() and not path.parent.is_dir():
            raise EscudoError("INP001", f"{path}: neither it nor its folder is there")
