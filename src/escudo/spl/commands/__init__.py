"""The commands of SPL, one file each, by every name that starts one; for the parser and lint."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import walk_packages

from escudo.spl.binding.binder import Command


def _find_commands() -> Iterator[type[Command]]:
    """Every class of a command, from the modules of this folder."""
    for module_info in walk_packages(__path__, f"{__name__}."):
        module = import_module(module_info.name)
        for member in vars(module).values():
            own = inspect.isclass(member) and member.__module__ == module_info.name
            if own and issubclass(member, Command) and not inspect.isabstract(member):
                yield member


COMMANDS: Mapping[str, type[Command]] = {
    name: command for command in _find_commands() for name in command.names()
}
"""Name or alias, in lower case -> command."""
