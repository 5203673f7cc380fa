"""A parsed search -> whether events can come to it batch by batch; ``compile`` asks.

It can, if of some batches together it finds what it finds of all events at once: each row by
itself, or each group of a ``stats`` that no later command judges by its sums. A count is then that
of a batch. Each command says so of itself (``DeclaredCommand.split_by_batches``); the default is
that it cannot.
"""

from __future__ import annotations

from escudo.spl.binding.declaration import DeclaredCommand
from escudo.spl.syntax.ast import CommandNode, Pipeline


def find_obstacle(pipeline: Pipeline) -> CommandNode | None:
    """The first command that needs all events; None if there is none.

    >>> from escudo.spl.parse import parse
    >>> find_obstacle(parse("| tstats count from datamodel=Endpoint.Processes by Processes.dest"))
    >>> find_obstacle(parse("error | stats count by host | where count > 5")).name
    'where'
    """
    partial: frozenset[str] = frozenset()
    for command in pipeline.commands:
        if not isinstance(command, DeclaredCommand) or _has_subsearch(command):
            return command
        split = command.split_by_batches(partial)
        if split is None:
            return command
        partial = split
    return None


def _has_subsearch(command: CommandNode) -> bool:
    return any(isinstance(node, Pipeline) for node in command.walk(into_subsearches=False))
