"""What every command declares of itself is what a person decided it to be: ``declarations.yml``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from escudo.spl.binding.declaration import Declaration, DeclaredCommand, Reads
from escudo.spl.commands import COMMANDS
from escudo.spl.parse import parse
from tests.yaml_file import read_yaml

DECLARED: dict[str, dict[str, Any]] = read_yaml(Path(__file__).with_name("declarations.yml"))


def declaration(reads: str, flags: Iterable[str] = (), also: Iterable[str] = ()) -> Declaration:
    given = {flag.replace(" ", "_"): True for flag in flags}
    return Declaration(reads=Reads[reads.upper()], reads_also=tuple(also), **given)


def declared(text: str) -> Declaration:
    """The declaration of a command in use."""
    command = parse(f"| makeresults | {text}").commands[1]
    assert isinstance(command, DeclaredCommand)
    return command.declaration()


def test_every_command_is_decided() -> None:
    assert DECLARED.keys() == COMMANDS.keys()


IN_USE = {
    "bin": "bin a",
    "bucket": "bucket a",
    "discretize": "discretize a",
    "fields": "fields a",
    "fillnull": "fillnull",
    "tags": "tags",
}
"""Commands whose options make a difference, in their plain form."""


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_declares_what_was_decided(name: str) -> None:
    shown = declared(IN_USE[name]) if name in IN_USE else COMMANDS[name].declares
    assert shown == declaration(**DECLARED[name])


def test_only_options_of_these_make_a_difference() -> None:
    own = {n for n, kind in COMMANDS.items() if kind.declaration is not DeclaredCommand.declaration}
    assert own == IN_USE.keys()


@pytest.mark.parametrize(
    ("text", "decided"),
    [
        ("bin span=5 a", declaration("named", ["row by row"])),
        ("fields - a", declaration("named", ["row by row"])),
        ("fillnull a", declaration("any", ["row by row"])),
        (
            "tags outputfield=t inclvalue=t",
            declaration("any", also=["tag::*"], flags=["row by row"]),
        ),
        (
            "tags outputfield=t inclvalue=t a",
            declaration("named", also=["tag::*"], flags=["row by row"]),
        ),
    ],
)
def test_an_option_makes_a_difference(text: str, decided: Declaration) -> None:
    assert declared(text) == decided
