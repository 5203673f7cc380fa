"""A log that is written and rotated at random, in all ways in which logs are, and one who follows
it and is killed now and then; steps of both in any order, and no processes."""

from __future__ import annotations

import gzip
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

from escudo.inputs.growing import GrowingFiles, Moved, WholeFile
from escudo.inputs.packed import find_unread
from escudo.inputs.position import Positions
from escudo.inputs.tail import Piece
from tests.inputs.json_logs import line, lines

_NUMBER = re.compile(rb"echo (\d+)")


class RotatedLog:
    """``app.log`` in a folder. Each step of ``steps`` does one thing to it; ``written`` is what has
    been written as whole lines.

    A deleted file's inode may be that of the next one, as the system likes; with ``held`` it is
    not, so that a seed always gives the same.
    """

    def __init__(self, folder: Path, chance: random.Random, *, held: bool) -> None:
        self._held: list[BinaryIO] | None = [] if held else None
        self.log = folder / "app.log"
        self.changed: set[Path] = set()
        self.written = 0
        self._chance = chance
        self._folder = folder
        self._rest = ""
        self._copy: Path | None = None
        self._out = self.log.open("a")
        self.steps: Sequence[Callable[[], None]] = (
            *[self.write] * 6,
            self.write_half,
            self.rename,
            *[self.open_new] * 2,
            self.copy_some,
            self.copy_and_cut,
            self.compress,
        )

    def write(self) -> None:
        """Ends a line that is begun, and adds some."""
        count = self._chance.randint(1, 6)
        first = self.written + bool(self._rest)
        self._add(self._rest + lines(range(first, self.written + count)))
        self.written += count
        self._rest = ""

    def write_half(self) -> None:
        if not self._rest:
            text = f"{line(self.written)}\n"
            cut = self._chance.randint(1, len(text) - 2)
            self._add(text[:cut])
            self._rest = text[cut:]

    def _add(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()
        name = next(
            p for p in self._folder.iterdir() if p.samefile(f"/dev/fd/{self._out.fileno()}")
        )
        self.changed.add(name)

    def rename(self) -> None:
        """The writer may write on before it opens the new file."""
        self._end_copy()
        self.open_new()
        self._shift()
        self._move(self.log, self.log.with_name("app.log.1"))

    def open_new(self) -> None:
        if not self.log.exists():
            self._end_line()
            self._out.close()
            self._out = self.log.open("a")
            self.changed.add(self.log)

    def _end_line(self) -> None:
        if self._rest:
            self.write()

    def copy_some(self) -> None:
        """Begins, or goes on with, a copy of the log as it is now."""
        self._begin_copy()
        assert self._copy is not None
        whole = self.log.read_bytes()
        done = self._copy.stat().st_size
        with self._copy.open("ab") as out:
            out.write(whole[done : self._chance.randint(done, len(whole))])
        self.changed.add(self._copy)

    def copy_and_cut(self) -> None:
        self._begin_copy()
        self._end_copy()

    def _begin_copy(self) -> None:
        self.open_new()
        self._end_line()
        if self._copy is None:
            self._shift()
            self._copy = self.log.with_name("app.log.1")
            self._copy.touch()

    def _end_copy(self) -> None:
        """What is copied is cut: nothing is written between."""
        if self._copy is not None:
            self._end_line()
            whole = self.log.read_bytes()
            done = self._copy.stat().st_size
            with self._copy.open("ab") as out:
                out.write(whole[done:])
            self.log.open("r+b").truncate(0)
            self.changed |= {self._copy, self.log}
            self._copy = None

    def compress(self) -> None:
        self._end_copy()
        plain = [p for p in self._list_rotated() if p.suffix != ".gz"]
        if plain and self.log.exists():
            old = self._chance.choice(plain)
            new = old.with_name(f"{old.name}.gz")
            new.write_bytes(gzip.compress(old.read_bytes()))
            self._delete(old)
            self.changed |= {old, new}

    def drop_oldest(self) -> None:
        """Takes away what nobody wants any more; only what has been read may go."""
        rotated = self._list_rotated()
        if len(rotated) > 3 and self._copy is None:
            self._delete(rotated[-1])
            self.changed.add(rotated[-1])

    def _delete(self, path: Path) -> None:
        if self._held is not None:
            self._held.append(path.open("rb"))
        path.unlink()

    def _list_rotated(self) -> list[Path]:
        rotated = [p for p in self._folder.iterdir() if p != self.log]
        return sorted(rotated, key=lambda p: int(p.name.split(".")[2]))

    def _shift(self) -> None:
        for path in reversed(self._list_rotated()):
            parts = path.name.split(".")
            parts[2] = str(int(parts[2]) + 1)
            self._move(path, path.with_name(".".join(parts)))

    def _move(self, old: Path, new: Path) -> None:
        old.rename(new)
        self.changed |= {old, new}

    def close(self) -> None:
        """Ends what is begun."""
        self._end_copy()
        self._end_line()
        self._out.close()
        for stream in self._held or ():
            stream.close()


class Follower:
    """Follows paths as ``following`` does, with a dictionary in place of the ledger; ``found`` is
    how often each event was given."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.found: Counter[int] = Counter()
        self._paths = paths
        self._ledger: dict[str, str] = {}
        self._open()

    def _open(self) -> None:
        self._positions = Positions(self._ledger)
        self._files = GrowingFiles(self._paths, self._positions, settle=0.0)

    def die(self) -> None:
        """What it has given is in the lake, with its positions; it begins anew."""
        self._files.close()
        self._open()

    def look(self, changed: Iterable[Path] | None = None) -> None:
        more = True
        while more:
            for step in self._files.look(changed):
                self._take(step)
            changed = () if changed is not None else None
            more = self._files.has_more or self._files.settling

    def close(self) -> None:
        self._files.close()

    def _take(self, step: object) -> None:
        match step:
            case Piece(stream, _, _, position):
                assert position is not None
                self._give(stream.open().read())
            case Moved(position):
                pass
            case WholeFile(path, position, _):
                rest = find_unread(path, self._positions, None)
                if rest is not None or path.suffix == ".gz":  # else a half line, which is no event
                    with gzip.open(path) if rest is None else rest.open() as stream:
                        self._give(stream.read())
            case _:
                return
        mark = self._positions.move(position)
        assert mark.before == self._ledger.get(mark.name)
        assert mark.value is not None
        self._ledger[mark.name] = mark.value

    def _give(self, text: bytes) -> None:
        self.found.update(int(n) for n in _NUMBER.findall(text))
