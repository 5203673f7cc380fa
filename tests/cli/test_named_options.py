"""Every option that a message, a hint, a docstring or a page names is one that a command has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from escudo.cli import cli

ROOT = Path(__file__).parents[2]
TEXTS = sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "docs").rglob("*.md"), ROOT / "README.md"])
_OPTION = re.compile(r"(?<![\w<!-])--[a-z][a-z-]*\b")
_CALL = re.compile(r"\bescudo ([a-z]+)(?: ([a-z]+))?\b([^`|\n]*)")


def commands_below(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of all commands."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands_below(command, (*path, name))
        else:
            yield (*path, name)


def find_options(path: tuple[str, ...]) -> set[str]:
    """The long options of a command."""
    command: click.Command = cli
    for name in path:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), name)
        assert found is not None
        command = found
    # click keeps the option that it makes, for whoever asks next: it is to be the program's own.
    context = click.Context(command, help_option_names=["-h", "--help"])
    named = [*command.params, command.get_help_option(context)]
    return {o for p in named if p for o in (*p.opts, *p.secondary_opts) if o.startswith("--")}


OPTIONS = {path: find_options(path) for path in commands_below(cli)}
EVERY = find_options(()).union(*OPTIONS.values())
OF_GIT = frozenset(
    [
        "--absolute-git-dir",
        "--bare",
        "--depth",
        "--exclude-standard",
        "--name-only",
        "--no-recurse-submodules",
        "--no-renames",
        "--no-tags",
        "--others",
        "--show-prefix",
        "--show-toplevel",
        "--verify",
    ]
)
"""What Escudo asks git with."""
OF_SPARK = frozenset({"--conf", "--properties-file", "--py-files"})
"""Options of spark-submit."""
OF_TESTS = frozenset({"--every", "--part"})
"""Of the program that counts conformance cases."""
KNOWN = EVERY | OF_GIT | OF_SPARK | OF_TESTS
_OF_PODMAN = re.compile(r"^podman (?:.*\\\n)*?.*?(?=\bescudo \w|$)", re.MULTILINE)

_OF_OTHERS = re.compile(
    r"(?:^(?:\$ )?(?:logger|contentctl|pipx run pip-audit) |`python -m benchmarks )"
    r"(?:.*\\\n)*.*?(?:`|$)",
    re.MULTILINE,
)
"""Calls of other programs, on a line of their own or, of the benchmarks, between backquotes."""


def find_faults(text: str) -> list[str]:
    """Options of a text that no command has, or not the one that it stands beside."""
    text = _OF_OTHERS.sub("", _OF_PODMAN.sub("", text))
    faults = [o for o in _OPTION.findall(text) if o not in KNOWN]
    for call in _CALL.finditer(text):
        path = (call[1], call[2]) if (call[1], call[2]) in OPTIONS else (call[1],)
        own = OPTIONS.get(path)
        if own is not None:
            faults += [f"{' '.join(path)} {o}" for o in _OPTION.findall(call[3]) if o not in own]
    return faults


def test_options_are_those_of_commands() -> None:
    assert len(TEXTS) > 500
    faults = {str(file.relative_to(ROOT)): find_faults(file.read_text()) for file in TEXTS}
    assert {file: of_file for file, of_file in faults.items() if of_file} == {}


def test_what_is_a_fault() -> None:
    assert find_faults("run it with --outfile FILE") == ["--outfile"]
    assert find_faults("`escudo search X --strict`, or `escudo lint X --strict`") == [
        "search --strict"
    ]
    assert find_faults("$ contentctl test --mode x \\\n  --deep y\nescudo lint --deep") == [
        "--deep",
        "lint --deep",
    ]
    assert find_faults("`escudo lake expire --retention-hours 1` <!-- note --> a --- b") == []
