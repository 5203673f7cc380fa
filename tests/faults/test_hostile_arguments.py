"""Every command with what is no log, no lake, no content in each place where it takes a path or a
name: a coded message or a usage error, the documented exit codes, no traceback."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import click
import pytest

from escudo.cli import cli
from tests.faults.conftest import LONG
from tests.lake.logs import write_logs
from tests.program import Server

pytestmark = pytest.mark.slow


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _folder(path: Path) -> Path:
    path.mkdir()
    (path / "inner").mkdir()
    return path


def _newer(path: Path) -> Path:
    """A lake of a version of Escudo that is still to come."""
    path.mkdir()
    with closing(sqlite3.connect(path / "ledger.sqlite")) as ledger, ledger:
        ledger.execute("CREATE TABLE lake (format INTEGER)")
        ledger.execute("INSERT INTO lake VALUES (99)")
    (path / "tables").mkdir()
    return path


def _torn(path: Path) -> Path:
    """A lake of which only the beginning of the ledger is there."""
    path.mkdir()
    (path / "tables").mkdir()
    (path / "ledger.sqlite").write_bytes(b"SQLite format 3\0" + bytes(40))
    return path


def _loop(path: Path) -> Path:
    path.symlink_to(path)
    return path


HOSTILE: dict[str, Callable[[Path], Path | str]] = {
    "missing": lambda p: p / "no" / "such",
    "folder": _folder,
    "garbage": lambda p: _write(p, bytes(range(256)) * 20),
    "empty": lambda p: _write(p, b""),
    "name too long": lambda p: p.with_name("x" * 5000),
    "name not UTF-8": lambda p: _write(p.with_name(os.fsdecode(b"caf\xe9\x1b[31m")), b"\xff\xfe"),
    "newer lake": _newer,
    "torn lake": _torn,
    "link to itself": _loop,
    "no text": lambda _: "",
    "yaml": lambda p: _write(
        p.with_suffix(".yml"), b"name: [a, *b, !!python/object:os.system x]\n"
    ),
    "device": lambda _: "/dev/null",
}

NEW = ("--root", "{repository}", "--stdout")
BASES: dict[str, list[str]] = {
    "hunt": ["{log}"],
    "run": ["--lake", "{lake}"],
    "backfill": ["--lake", "{lake}"],
    "status": ["--lake", "{lake}"],
    "suppress add": ["--lake", "{lake}", "--field", "dest=pc1"],
    "suppress list": ["--lake", "{lake}"],
    "suppress remove": ["1", "--lake", "{lake}"],
    "timeline": ["--lake", "{lake}"],
    "tree": ["--lake", "{lake}", "--host", "pc1", "--pid", "1"],
    "ingest": ["{log}", "--lake", "{lake}"],
    "follow": ["{log}", "--lake", "{lake}", "--once"],
    "sinks retry": ["{log}", "--sink", "jsonl:{out}"],
    "sinks test": ["--sink", "jsonl:{out}"],
    "lake maintain": ["--lake", "{lake}"],
    "search": ["| makeresults", "--lake", "{lake}"],
    "shell": ["--lake", "{lake}"],
    "baseline": ["--lake", "{lake}"],
    "lake copy": ["{lake}", "{out}-copy"],
    "lake move": ["{out}-copy", "{out}-moved"],
    "lake info": ["--lake", "{lake}"],
    "lake compact": ["--lake", "{lake}"],
    "lake expire": ["--lake", "{lake}", "--older-than", "-10y"],
    "lake verify": ["--lake", "{lake}"],
    "lake repair": ["--lake", "{lake}"],
    "test": ["Process Execution via WMI", "--offline", "--quiet"],
    "validate": ["{content}"],
    "explain": ["| makeresults"],
    "lint": ["| makeresults"],
    "format": ["| makeresults"],
    "why": ["| search x=1", "--event", '{"x": 2}'],
    "generate": ["--events", "10", "--out", "{out}"],
    "demo": ["--events", "200"],
    "new detection": ["Odd", "--search", "| makeresults", "--type", "Hunting", *NEW],
    "new macro": ["odd", "--definition", "a", *NEW],
    "new lookup": ["odd", "--column", "a", *NEW],
    "new story": ["Odd", *NEW],
    "new baseline": ["Odd", "--search", "| makeresults", *NEW],
    "new data_source": ["Odd", "--source", "a", "--sourcetype", "b", *NEW],
    "init": ["{repository}", "--author", "a"],
    "build": ["{content}", "--output", "{built}"],
    "diff": ["{content}", "{content}"],
    "content add": ["{content}", "--store", "{store}"],
    "content list": ["--store", "{store}"],
    "content update": ["content", "--store", "{store}"],
    "content remove": ["content", "--store", "{store}"],
    "content enable": ["content", "--store", "{store}"],
    "content disable": ["content", "--store", "{store}"],
    # It ends since nobody has this address (RFC 5737), after all else was looked at.
    "serve": ["--lake", "{lake}", "--host", "192.0.2.1", "--port", "0", "--tls"],
    "user add": ["kim", "--role", "viewer", "--lake", "{lake}", "--password-file", "{secret}"],
    "user passwd": ["admin", "--lake", "{lake}", "--password-file", "{secret}"],
    "user roles": ["admin", "--role", "admin", "--lake", "{lake}"],
    "user disable": ["kim", "--lake", "{lake}"],
    "user list": ["--lake", "{lake}"],
    "token add": ["forwarder", "--lake", "{lake}"],
    "token list": ["--lake", "{lake}"],
    "token revoke": ["forwarder", "--lake", "{lake}"],
    "source check": ["{content}"],
    "source coverage": ["--content", "{content}"],
    "source list": [],
    "source new": ["{log}"],
    "source test": [],
    "config": [],
}


def list_commands(group: click.Group, prefix: str = "") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        if isinstance(found, click.Group):
            yield from list_commands(found, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", found


COMMANDS = dict(list_commands(cli))


def takes_text(parameter: click.Parameter) -> bool:
    return isinstance(parameter.type, click.Path | click.File | click.types.StringParamType)


@pytest.fixture(scope="module")
def places(plain_server: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("places")
    (log,) = write_logs(folder / "logs", 1, 5)
    content = folder / "content" / "macros"
    content.mkdir(parents=True)
    (content / "a.yml").write_text("name: a\ndefinition: search x=1\n")
    assert plain_server.run("ingest", log, "--lake", folder / "lake").code == 0
    return {
        "log": log,
        "lake": folder / "lake",
        "content": content.parent,
        "out": folder / "out.xml",
        "repository": folder / "repository",
        "built": folder / "built",
        "store": folder / "store",
        "secret": _write(folder / "secret", b"a sentence for tests\n"),
    }


def test_every_command_is_tried() -> None:
    assert set(COMMANDS) == set(BASES)


def put(base: list[str], parameter: click.Parameter, value: str) -> list[str]:
    """The arguments with a value in the parameter's place."""
    if isinstance(parameter, click.Argument):
        return [value, *base[1:]]
    option = next(o for o in parameter.opts if o.startswith("--"))
    if option not in base:
        return [*base, option, value]
    at = base.index(option)
    return [*base[: at + 1], value, *base[at + 2 :]]


LEAKED = re.compile(r"Traceback|SYS004|Kernel error|Generic |Catalog Error|Detail:")
OF_A_LIBRARY = re.compile(r"duckdb", re.IGNORECASE)
"""A message does not name it; `explain` gives the engine and its plan."""


@pytest.mark.parametrize("name", [n for n, c in COMMANDS.items() if any(map(takes_text, c.params))])
def test_hostile_arguments(
    name: str, plain_server: Server, places: dict[str, Path], tmp_path: Path
) -> None:
    base = [a if a.startswith('{"') else a.format_map(places) for a in BASES[name]]
    parameters = [p for p in COMMANDS[name].params if takes_text(p)]
    kinds = list(HOSTILE)
    for number, kind in enumerate(kinds):
        value = os.fspath(HOSTILE[kind](tmp_path / f"given{number}"))
        # The suite gives each of the values to one of the parameters, the long form to all.
        for parameter in parameters if LONG else [parameters[number % len(parameters)]]:
            arguments = put(base, parameter, value)
            done = plain_server.run(*name.split(), *arguments)
            said = (kind, parameter.name, done.code, done.err[-600:])
            assert done.code in (0, 1, 2, 3), said
            # What a search finds may hold any word; what it says of a failure may not.
            assert not LEAKED.search(done.err + (done.out if done.code else "")), said
            assert not OF_A_LIBRARY.search(done.err), said
            assert "\x1b" not in done.err, said
            if done.code == 1 and name not in ("lint", "validate"):
                assert re.search(r"error\[[A-Z]{3}\d{3}\]", done.err), said
            if done.code == 2:
                assert "Error: " in done.err, said
