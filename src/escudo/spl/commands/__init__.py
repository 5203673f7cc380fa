"""The commands of SPL, one file each, by every name that starts one; for the parser and lint."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from threading import RLock

from escudo.spl.binding.binder import Command


class _Commands(Mapping[str, type[Command]]):
    """Commands by name or alias. A file is imported when its command is asked for, all of them
    where a name is no file's: ninety take a third of a second."""

    def __init__(self) -> None:
        self._modules = {stem.rstrip("_"): module for stem, module in _list_modules()}
        self._unread = set(self._modules)
        self._read: dict[str, type[Command]] = {}
        self._lock = RLock()

    def __getitem__(self, name: str) -> type[Command]:
        if name not in self._read:
            self._import([name] if name in self._unread else self._modules)
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        self._import(self._modules)
        names = (name for m in self._modules.values() for name, _ in _find_commands(m))
        return iter(dict.fromkeys(names))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _import(self, stems: Iterable[str]) -> None:
        with self._lock:
            for stem in stems:
                if stem in self._unread:
                    self._read.update(_find_commands(self._modules[stem]))
                    self._unread.discard(stem)


def _list_modules() -> Iterator[tuple[str, str]]:
    """The modules of this folder and those below it: the name of the file, the full name."""
    folder = Path(__file__).parent
    for file in sorted(folder.rglob("*.py")):
        if file.stem != "__init__":
            place = ".".join(file.relative_to(folder).with_suffix("").parts)
            yield file.stem, f"{__name__}.{place}"


def _find_commands(module_name: str) -> Iterator[tuple[str, type[Command]]]:
    """Every name of the commands in a module."""
    for member in vars(import_module(module_name)).values():
        own = inspect.isclass(member) and member.__module__ == module_name
        if own and issubclass(member, Command) and not inspect.isabstract(member):
            yield from ((name, member) for name in member.names())


COMMANDS: Mapping[str, type[Command]] = _Commands()
"""Name or alias, in lower case -> command."""
