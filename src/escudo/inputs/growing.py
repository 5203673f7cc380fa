"""Folders and files -> pieces of those that grow, and those that are read whole, round by round;
``following`` asks for a round whenever something has changed.

A file is its inode, wherever it is moved; what was read of it is known by its content, too, so that
a copy goes on where the file was left. Each round

1. finds which file has which path now (``_bind``): a renamed one is read on under its new name;
2. reads on in files of which something was read, as long as they have that content;
3. reads files of which nothing is known, the copies among them from where their originals were
   left (``_place``);
4. begins anew those that have another content than was read of them: they were cut.

So a copy is met after its original where that is whole, and before it where it was cut.
"""

from __future__ import annotations

import os
import re
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from stat import S_ISREG

from escudo.core.errors import Diagnostic, EscudoError, Severity, Span
from escudo.inputs.position import Key, Position, Positions, digest_ends, make_start
from escudo.inputs.tail import Piece, Tail
from escudo.sources.listing import PASSED_OVER

ROTATED_SECONDS = 10.0
"""Seconds. A file that has no path any more, and has not grown for so long, has ended."""

MOST_OPEN = 200
"""Files that are held open; the others are opened when they have changed."""

_SPARE = 50
"""Files that are opened beyond these before some are closed."""

_ROTATED = re.compile(r"[.-]\d[\d.-]*(?:\.(?:gz|bz2|xz|zst))?")
"""What a rotated file's name has behind that of the file: ``.1``, ``-20261129``, ``.2.gz``."""


@dataclass(frozen=True, slots=True)
class WholeFile:
    """A file that is read whole, since nothing has been added to it for a while; ``asked``: it was
    named itself."""

    path: Path
    position: Position
    asked: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """So much of a file counts as read: it was read in another one, or under another name."""

    position: Position


Found = Piece | WholeFile | Moved | Diagnostic


class GrowingFiles:
    """The files under some paths, as they come and grow.

    A file that is named is followed with those beside it that it is rotated to. What of these is
    there when it is followed for the first time counts as read: nobody asked for it.

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
        self._tails: dict[Key, Tail] = {}
        self._gone: list[Tail] = []
        self._stale: list[Tail] = []
        self._at: dict[Path, Key] = {}
        self._whole: dict[Path, tuple[int, int]] = {}
        self._strangers: dict[Path, tuple[Key, int]] = {}
        self._copied: set[tuple[str, str]] = set()
        self._unsettled: set[Path] = set()
        self._more: set[Path] = set()
        self._told: set[Path] = set()
        self._begun = False

    def close(self) -> None:
        for tail in [*self._tails.values(), *self._gone]:
            tail.close()

    @property
    def settling(self) -> bool:
        """Whether something is begun, or has to settle: a round is due after a while."""
        return bool(self._unsettled)

    @property
    def restless(self) -> bool:
        """Whether a round is due after a while though nothing has changed."""
        return bool(self._unsettled or self._gone)

    @property
    def has_more(self) -> bool:
        """Whether a round is due at once: a file has more than was read in its turn."""
        return bool(self._more)

    @property
    def behind(self) -> int:
        """Bytes of open files that have not been read."""
        return sum(t.behind for t in [*self._tails.values(), *self._gone])

    def list_files(self) -> Iterator[Path]:
        """All files there are, in a stable order."""
        for folder in self._folders:
            for directory, below, names in os.walk(folder):
                below[:] = sorted(n for n in below if n.lower() not in PASSED_OVER)
                for name in sorted(names):
                    if name.lower() not in PASSED_OVER:
                        yield Path(directory) / name
        for named in self._named:
            yield from self._list_beside(named)
            yield named

    def look(self, changed: Iterable[Path] | None = None) -> Iterator[Found]:
        """What has come since the last round.

        Args:
            changed: the files that may have changed; None: look at all.
        """
        if not self._begun:
            self._begun = True
            yield from self._pass_over_old()
        if changed is None:
            some: Iterable[Path] = [*self.list_files(), *self._at]
        else:
            some = filter(self._is_followed, changed)
        paths = list(dict.fromkeys([*some, *self._unsettled, *self._more]))
        self._unsettled, self._more = set(), set()
        yield from self._look_at(paths)

    def _look_at(self, paths: Iterable[Path]) -> Iterator[Found]:
        there = self._bind(paths)
        yield from self._read_gone()  # before what they may have been compressed to
        known = [path for path in there if self._positions.get(*self._at[path]) is not None]
        unknown = there.keys() - set(known)
        for path in known:
            yield from self._read_on(path, there[path])
        # Nobody may have told yet of the copy of a file that was cut, of a copy's original, or of
        # what was compressed and deleted.
        groups = {_group(p): p for p in [*unknown, *(t.path for t in self._stale)]}
        copies = [t.path for t in self._tails.values() if not t.is_own and _group(t.path) in groups]
        beside = self._bind([s for p in groups.values() for s in self._list_beside(p)] + copies)
        yield from self._read_gone()
        there |= beside
        unknown = (unknown | beside.keys()) & self._at.keys()  # some may have gone meanwhile
        for path in sorted(unknown, key=lambda p: (_group(p), -there[p].st_size, p)):
            yield from self._read_on(path, there[path])
        while self._stale:  # originals before their copies
            tail = max(self._stale, key=lambda t: t.size)
            self._stale.remove(tail)
            yield from self._begin_anew(tail)

    # which file is where

    def _bind(self, paths: Iterable[Path]) -> dict[Path, os.stat_result]:
        """Takes note of the files that have some paths now; and of those beside a path that another
        file had, since that may have been renamed. Gives those that are there."""
        there: dict[Path, os.stat_result] = {}
        lost: set[Key] = set()
        waiting, seen = deque(paths), set()
        while waiting:
            path = waiting.popleft()
            if path in seen:
                continue
            seen.add(path)
            status = _find_file(path)
            before = self._at.pop(path, None)
            if status is not None:
                there[path] = status
                key = self._at[path] = (status.st_dev, status.st_ino)
                if key in self._tails:
                    self._tails[key].path = path
            if before is not None and before != self._at.get(path):
                self._whole.pop(path, None)
                lost.add(before)
                waiting.extend(self._list_beside(path))
        for key in lost & self._tails.keys() - set(self._at.values()):
            self._gone.append(self._tails.pop(key))
        return there

    def _is_followed(self, path: Path) -> bool:
        inside = any(path.is_relative_to(f) for f in self._folders) and not _passed_over(path)
        return inside or any(path == n or self._is_of(path, n) for n in self._named)

    def _list_beside(self, path: Path) -> list[Path]:
        """The followed files beside one whose names begin as its own does, in a stable order."""
        try:
            names = sorted(p for p in path.parent.iterdir() if p.name.startswith(_stem(path)))
        except OSError:
            return []
        return [p for p in names if p != path and self._is_followed(p)]

    def _is_of(self, path: Path, named: Path) -> bool:
        """Whether a file is what a named one was rotated to: by its name, or, whatever its name, if
        it has what was read of that one."""
        if path.parent != named.parent or not path.name.startswith(_stem(named)):
            return False
        if _is_rotated(path, named):
            return True
        status = _find_file(path)
        if status is None:
            return False
        key = (status.st_dev, status.st_ino)
        if key in self._tails:
            return True
        if self._strangers.get(path) == (key, status.st_size):
            return False
        was = [p for p in self._positions if p.path == str(named.absolute())]
        with suppress(OSError), path.open("rb", buffering=0) as stream:
            if any(p.agrees(stream) for p in was):
                return True
        self._strangers[path] = (key, status.st_size)
        return False

    def _pass_over_old(self) -> Iterator[Found]:
        """What a named file was rotated to before it was followed for the first time."""
        for named in self._named:
            place = named.absolute()
            known = (Path(p.path) for p in self._positions)
            if any(p == place or _is_rotated(p, place) for p in known):
                continue
            yield self._keep(make_start(str(place)))
            for path in self._list_beside(named):
                with suppress(OSError), path.open("rb", buffering=0) as stream:
                    status = os.fstat(stream.fileno())
                    ends = digest_ends(stream, status.st_size)
                    if ends is not None and status.st_size:
                        key = (status.st_dev, status.st_ino)
                        position = Position(str(path.absolute()), *key, status.st_size, *ends)
                        yield self._keep(position)

    # reading

    def _read_on(self, path: Path, status: os.stat_result) -> Iterator[Found]:
        """What is new in the file of a path; one that has another content becomes stale."""
        if self._whole.get(path) == (status.st_size, status.st_mtime_ns):
            return
        try:
            tail = self._open(path)
        except OSError as error:
            message = f"{path} cannot be read: {error.strerror}"
            yield from self._tell("SRC002", path, message, Severity.ERROR)
            return
        if tail is None:
            self._unsettled.add(path)
        elif tail in self._stale:
            return
        elif not tail.look():
            self._stale.append(tail)
        else:
            known, place = tail.known, str(path.absolute())
            if known is not None and known.path != place and not known.is_there:
                yield self._keep(tail.adopt(replace(known, path=place)))
            yield from self._read(tail)

    def _open(self, path: Path) -> Tail | None:
        """The file of a path; None where that has just become another one."""
        key = self._at[path]
        tail = self._tails.get(key)
        if tail is not None:
            return tail
        self._close_some()
        tail = Tail(path, path.open("rb", buffering=0))
        if tail.key != key:
            tail.close()
            return None
        known = self._positions.get(*key)
        if known is not None:
            tail.adopt(known)
        self._tails[key] = tail
        return tail

    def _read(self, tail: Tail, *, ended: bool = False) -> Iterator[Found]:
        """The new pieces of a file; the file as it is, if it is of those that are read whole."""
        quiet = ended or time.time() - tail.modified >= self._settle
        if tail.find_format(quiet=quiet) is not None:
            if not tail.is_own:
                yield from self._place(tail)
                if not tail.is_own:
                    return
            yield from self._take_pieces(tail, quiet=quiet, ended=ended)
            while ended and tail.has_more:
                yield from self._take_pieces(tail, quiet=quiet, ended=ended)
            if tail.has_more:
                self._more.add(tail.path)
            elif tail.behind and tail.settles and not quiet:
                self._unsettled.add(tail.path)
        elif tail.behind:
            if not quiet:
                self._unsettled.add(tail.path)
            elif self._find_original(tail) is None:
                yield from self._take_whole(tail)

    def _place(self, tail: Tail) -> Iterator[Found]:
        """Where to begin in a file of which this process has read nothing.

        As long as it is the beginning of a file that is read itself, it is not read: it may be
        growing into the copy that is made before that one is cut.
        """
        tail.is_own = self._find_original(tail) is None
        with tail.open_copy() as stream:
            same = self._positions.find_same(stream)
        if same is not None and same.offset > tail.offset:
            self._copied.add((same.head, same.tail))
            yield self._keep(tail.adopt(replace(same, path=str(tail.path.absolute()))))

    def _find_original(self, tail: Tail) -> Tail | None:
        """A file beside one that is read, and begins with all that this one holds."""
        for other in self._tails.values():
            if (
                other is not tail
                and (other.is_own or other in self._stale)
                and other.path.parent == tail.path.parent
                and other.begins_with(tail)
            ):
                return other
        return None

    def _take_pieces(self, tail: Tail, *, quiet: bool, ended: bool) -> Iterator[Found]:
        for piece in tail.pieces(quiet=quiet, ended=ended):
            if piece.position is not None:
                self._positions.keep(piece.position)
            yield piece

    def _take_whole(self, tail: Tail) -> Iterator[Found]:
        with suppress(OSError), tail.open_copy() as copy:
            status = os.fstat(copy.fileno())
            self._whole[tail.path] = (status.st_size, status.st_mtime_ns)
            ends = digest_ends(copy, status.st_size)
            if ends is not None:
                place = str(tail.path.absolute())
                position = Position(place, *tail.key, status.st_size, *ends)
                tail.adopt(position)
                self._positions.keep(position)
                yield WholeFile(tail.path, position, tail.path in self._named)

    def _begin_anew(self, tail: Tail) -> Iterator[Found]:
        """A file was cut, or is a new one with the inode of one that was deleted. What it had may
        turn up again, copied or compressed."""
        lost = tail.known
        assert lost is not None
        cut = lost.path == str(tail.path.absolute())
        kept = (lost.head, lost.tail) in self._copied or self._positions.has(lost.leave())
        yield self._keep(lost.leave())
        tail.restart()
        if cut and not kept and (not tail.behind or tail.find_format(quiet=True) is not None):
            message = f"{tail.path} was cut short; it is read from its new beginning"
            yield from self._tell("INP003", tail.path, message, Severity.WARNING)
        yield from self._read(tail)

    def _read_gone(self) -> Iterator[Found]:
        """Reads on in files that have no path any more, and leaves those that have ended."""
        for tail in list(self._gone):
            whole = tail.look()
            ended = not whole or time.monotonic() - tail.grew >= ROTATED_SECONDS
            if whole:
                yield from self._read(tail, ended=ended)
            if ended:
                self._gone.remove(tail)
                tail.close()

    def _close_some(self) -> None:
        """Closes the files that have not grown for longest, beyond ``MOST_OPEN``."""
        spare = len(self._tails) - MOST_OPEN
        if spare <= _SPARE:
            return
        idle = [t for t in self._tails.values() if not t.behind and t not in self._stale]
        for tail in sorted(idle, key=lambda t: t.grew)[:spare]:
            tail.close()
            del self._tails[tail.key]

    def _keep(self, position: Position) -> Moved:
        self._positions.keep(position)
        return Moved(position)

    def _tell(self, code: str, path: Path, message: str, severity: Severity) -> Iterator[Found]:
        if path not in self._told:
            self._told.add(path)
            yield Diagnostic(code, message, severity, Span(str(path), 1, 1, 1, 1))


def _stem(path: Path) -> str:
    """What the names of a log and of all that it is rotated to begin with."""
    return path.name.split(".")[0]


def _group(path: Path) -> tuple[Path, str]:
    """Where a file lies with all that it may be a copy of, or be rotated to."""
    return path.parent, _stem(path)


def _passed_over(path: Path) -> bool:
    return any(part.lower() in PASSED_OVER for part in path.parts)


def _is_rotated(path: Path, named: Path) -> bool:
    """Whether a file is what a log of a name was rotated to, as its own name tells.

    >>> _is_rotated(Path("logs/app.log.1"), Path("logs/app.log"))
    True
    """
    rest = path.name.removeprefix(named.name)
    return path.parent == named.parent and _ROTATED.fullmatch(rest) is not None


def _find_file(path: Path) -> os.stat_result | None:
    """What the system says of a regular file; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status if S_ISREG(status.st_mode) else None


def check_places(paths: Sequence[Path]) -> None:
    """Raises INP001 where a path is no folder, and lies in none."""
    for path in paths:
        if not path.is_dir() and not path.parent.is_dir():
            raise EscudoError("INP001", f"{path}: neither it nor its folder is there")
