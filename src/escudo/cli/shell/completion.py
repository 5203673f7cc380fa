"""Text before the cursor -> what may come next at the shell's prompt: names of the shell's own
commands, else what a search may have there (``actions.complete_search``)."""

from __future__ import annotations

from collections.abc import Iterator

from escudo.actions.complete_search import Names, Proposal, match_names, propose
from escudo.cli.shell.session import SHELL_COMMANDS

_FORMATS = ("auto", "table", "events", "vertical", "jsonl", "json", "csv")


def propose_input(before: str, names: Names) -> Iterator[Proposal]:
    """What may come next, the likeliest first.

    >>> [p.text for p in propose_input(".mo", Names())]
    ['.models']
    """
    if not before.startswith("."):
        yield from propose(before, names)
    elif " " not in before:
        commands = ((f".{name}", command.says) for name, command in SHELL_COMMANDS.items())
        yield from match_names(before, commands, "shell")
    elif before.startswith(".format "):
        typed = "" if before[-1] == " " else before.split()[-1]
        yield from match_names(typed, ((name, "format") for name in _FORMATS), "format")
