"""Configuration files and the environment -> the defaults of options, each with where it is from;
the command line reads them before it runs a command.

What the command line says goes before the environment, that before ``escudo.toml`` of the folder
one is in, that before the user's own file, and that before Escudo's defaults. Each command reads
them first, so what only a file or a fault needs is imported there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from platformdirs import user_config_path

from escudo.core.errors import EscudoError, Span
from escudo.core.places import hide_password, refuse_url

SETTINGS = "escudo.settings"
FAILED_CONTENT = "escudo.failed_content"
"""Keys of click's context: the settings in force, and whether a file of the content could not be
loaded, which the exit code of any command tells."""

PROJECT_FILE = Path("escudo.toml")
VARIABLE = "ESCUDO_CONFIG"
STORAGE = "storage"
"""The table of what storages need: the variables of their libraries, in small letters."""
_STORAGE_PREFIXES = ("AWS_", "AZURE_", "GOOGLE_", "HADOOP_", "PG")
_WRITTEN = frozenset({"log_file", "store"})
"""Keys of what commands write to that nobody names."""
_TRUSTED = frozenset({"master", "spark_properties"})
"""Keys of where the rows of a lake go, and what runs beside them. Where a place is a URL, rows go
there, too, and credentials with them."""
_SYNTAX_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)")


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of values: what it is called, and how a value of TOML or a text becomes one.

    ``read`` raises ``ValueError``, or ``EscudoError`` with a hint, for what is none; its second
    argument is the folder that a relative path is below.
    """

    label: str
    read: Callable[[Any, Path], Any]


def _read_text(value: Any, _folder: Path) -> str:
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError
    return value


def _read_path(value: Any, folder: Path) -> str:
    text = _read_text(value, folder)
    refuse_url(text, "folder or file")
    return str(folder / os.path.expanduser(text))


def _read_paths(value: Any, folder: Path) -> list[str]:
    if not isinstance(value, list):
        raise ValueError
    return [_read_path(member, folder) for member in value]


def _read_content(value: Any, folder: Path) -> list[str]:
    """Paths; ``pack:NAME``, and a plain name that is none in the folder, are those of packs."""
    paths = _read_paths(value, folder)
    packs = import_module("escudo.content.packs")
    starter_packs = import_module("escudo.content.starter_packs")
    return [
        text
        if starter_packs.names_pack(text) or (packs.is_pack_name(text) and not os.path.exists(path))
        else path
        for text, path in zip(value, paths, strict=True)
    ]


def _read_flag(value: Any, _folder: Path) -> bool:
    if isinstance(value, str) and value.lower() in ("1", "true", "yes", "0", "false", "no"):
        return value.lower() in ("1", "true", "yes")
    if not isinstance(value, bool):
        raise ValueError
    return value


def _read_count(value: Any, _folder: Path) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str) or int(value) < 1:
        raise ValueError
    return int(value)


def _read_zone(value: Any, folder: Path) -> str:
    text = _read_text(value, folder)
    import_module("escudo.cli.zone_names").find_zone(text)
    return text


def _read_place(value: Any, folder: Path) -> str:
    text = _read_text(value, folder)
    return text if "://" in text else str(_read_path(text, folder))


def _choice(*known: str) -> Kind:
    def read(value: Any, _folder: Path) -> str:
        if value not in known:
            raise ValueError
        return str(value)

    return Kind(f"one of {', '.join(known)}", read)


TEXT = Kind("a text", _read_text)
PATH = Kind("a path on this machine", _read_path)
PLACE = Kind("a path on this machine or a URL", _read_place)
PATHS = Kind("a list of paths on this machine", _read_paths)
CONTENT = Kind("a list of paths on this machine, or names of packs", _read_content)
FLAG = Kind("true or false", _read_flag)
COUNT = Kind("a whole number from 1", _read_count)
ZONE = Kind("the name of a time zone, such as Europe/Madrid", _read_zone)


@dataclass(frozen=True, slots=True)
class Key:
    """One setting: its key in a file, the option whose default it is, its variable, a sentence."""

    name: str
    option: str
    kind: Kind
    variable: str
    about: str


KEYS: Mapping[str, Key] = {
    key.name: key
    for key in (
        Key("lake", "--lake", PLACE, "ESCUDO_LAKE", "Folder or URL of the lake."),
        Key("ledger", "--ledger", PLACE, "ESCUDO_LEDGER", "Ledger of a lake that machines share."),
        Key("state", "--state", PLACE, "ESCUDO_STATE", "Where schedules keep what has run."),
        Key("content", "--content", CONTENT, "ESCUDO_CONTENT", "Detection content."),
        Key("store", "--store", PATH, "ESCUDO_STORE", "Folder of content packs."),
        Key("overlay", "--overlay", PATH, "ESCUDO_OVERLAY", "Local changes over the content."),
        Key("sources", "--sources", PATHS, "ESCUDO_SOURCES", "Folders of own sources."),
        Key("tz", "--tz", ZONE, "ESCUDO_TZ", "Time zone in which times are shown and read."),
        Key("engine", "--engine", _choice("duckdb", "spark"), "ESCUDO_ENGINE", "The engine."),
        Key("master", "--master", TEXT, "ESCUDO_MASTER", "Where Spark runs."),
        Key(
            "spark_properties",
            "--spark-properties",
            PATH,
            "ESCUDO_SPARK_PROPERTIES",
            "File of Spark's properties.",
        ),
        Key("memory_limit", "--memory", TEXT, "ESCUDO_MEMORY", "Memory of DuckDB, such as 4GB."),
        Key(
            "date_order",
            "--date-order",
            _choice("dmy", "mdy"),
            "ESCUDO_DATE_ORDER",
            "What dates like 03/05/2024 mean.",
        ),
        Key(
            "max_unpacked",
            "--max-unpacked",
            COUNT,
            "ESCUDO_MAX_UNPACKED",
            "GB that one file may unpack to.",
        ),
        Key(
            "max_members",
            "--max-members",
            COUNT,
            "ESCUDO_MAX_MEMBERS",
            "Members that are opened of the archives of one file.",
        ),
        Key("policy", "--policy", PATH, "ESCUDO_POLICY", "How long the lake keeps what (TOML)."),
        Key("verbose", "--verbose", FLAG, "ESCUDO_VERBOSE", "Show what is done as it is done."),
        Key("log_file", "--log-file", PATH, "ESCUDO_LOG_FILE", "File that it is written to."),
    )
}


@dataclass(frozen=True, slots=True)
class Setting:
    """A value that is not Escudo's default. ``source`` is a file with line, or a variable."""

    value: Any
    source: str


@dataclass(frozen=True)
class Settings:
    """What files and environment say, by key, and the files that were read."""

    values: Mapping[str, Setting]
    files: tuple[Path, ...]
    storage: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Variables for what reads storages and their credentials; they are shown nowhere."""

    def value(self, key: str) -> Any:
        """The value of a key; None where nothing says one."""
        setting = self.values.get(key)
        return None if setting is None else setting.value

    def find_source(self, parameter: click.Parameter) -> str | None:
        """Where the default of a parameter is from, if a setting is one: a file with line, or a
        variable."""
        for key in KEYS.values():
            if key.option in parameter.opts and key.name in self.values:
                return self.values[key.name].source
        return None

    def defaults(self, command: click.Command) -> dict[str, Any]:
        """The defaults of a command's options, as click's ``default_map`` has them.

        A lake that is not there is left out where the command only looks at one if there is one.
        """
        if isinstance(command, click.Group):
            known = {n: command.commands[n] for n in command.commands}
            return {name: self.defaults(part) for name, part in known.items()}
        out: dict[str, Any] = {}
        for parameter in command.params:
            for key in KEYS.values():
                if key.option not in parameter.opts or key.name not in self.values:
                    continue
                value = self.values[key.name].value
                only_existing = isinstance(parameter.type, click.Path) and parameter.type.exists
                absent = key.name == "lake" and "://" not in value and not Path(value).is_dir()
                if parameter.name is not None and not (only_existing and absent):
                    out[parameter.name] = value
        return out


def list_files(given: str | None, environment: Mapping[str, str]) -> list[Path]:
    """The files that are read, the first one below the others.

    ``given`` (``--config``), or else ``ESCUDO_CONFIG``, is the only one; an empty text is none.
    Without them it is the user's own, and ``escudo.toml`` of the folder one is in.
    """
    named = given if given is not None else environment.get(VARIABLE)
    if named is not None:
        return [Path(named)] if named else []
    return [p for p in (user_config_path("escudo") / "config.toml", PROJECT_FILE) if p.is_file()]


def read_settings(given: str | None, environment: Mapping[str, str]) -> Settings:
    """What the files and the environment say.

    Raises:
        EscudoError: CLI030 for a file that cannot be read, CLI031 for a key that is not known,
            CLI032 for a value that it cannot have, each with its place.
    """
    files = list_files(given, environment)
    values: dict[str, Setting] = {}
    storage: dict[str, str] = {}
    for file in files:
        values.update(_read_file(file, storage))
    for key in KEYS.values():
        if text := environment.get(key.variable):
            values[key.name] = Setting(_read_variable(key, text), f"${key.variable}")
    return Settings(values, tuple(files), storage)


def _read_variable(key: Key, text: str) -> Any:
    value: Any = text
    if key.kind is PATHS:
        value = text.split(os.pathsep)
    elif key.kind is CONTENT:
        value = import_module("escudo.content.starter_packs").split_places(text)
    try:
        return key.kind.read(value, Path())
    except (ValueError, EscudoError) as error:
        message = f"{key.variable} must be {key.kind.label}, not {text!r}"
        raise EscudoError("CLI032", message, hint=_hint(error)) from error


def _hint(error: ValueError | EscudoError) -> str | None:
    return error.diagnostic.hint if isinstance(error, EscudoError) else None


def _read_file(file: Path, storage: dict[str, str]) -> Iterator[tuple[str, Setting]]:
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise EscudoError("CLI030", f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise EscudoError("CLI030", f"{file} is not UTF-8 text") from error
    toml = import_module("tomllib")
    try:
        table = toml.loads(text)
    except toml.TOMLDecodeError as error:
        raise _syntax_error(file, text, str(error)) from error
    except (ValueError, RecursionError) as error:
        message = f"{file}: a number in it is too long, or a list nested too deep"
        raise EscudoError("CLI030", message) from error
    for name, value in table.items():
        key = KEYS.get(name)
        place, value_place = _find(file, text, name)
        if name == STORAGE:
            storage.update(_read_storage(value, file, place, text))
            continue
        if key is None:
            near = import_module("difflib").get_close_matches(name, KEYS, 1)
            hint = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(KEYS)}"
            message = f"unknown key '{name}'"
            raise EscudoError("CLI031", message, span=place, hint=hint, source=text)
        try:
            read = key.kind.read(value, file.parent)
        except (ValueError, EscudoError) as error:
            raise EscudoError(
                "CLI032",
                f"{name} must be {key.kind.label}",
                span=value_place,
                hint=_hint(error),
                source=text,
            ) from error
        is_url = key.kind is PLACE and "://" in read
        if file == PROJECT_FILE and (name in _TRUSTED or is_url):
            what = f"a URL as {name}" if is_url else name
            message = f"{what} cannot be set by {PROJECT_FILE} of a folder"
            hint = f"set it in your own configuration file, by --config or {key.variable}"
            raise EscudoError("CLI032", message, span=place, hint=hint, source=text)
        if name in _WRITTEN and file == PROJECT_FILE:
            _refuse_outside(name, Path(read), value_place, text)
        yield name, Setting(read, f"{file}:{place.line}")


def _read_storage(value: Any, file: Path, place: Span, text: str) -> Iterator[tuple[str, str]]:
    """The variables of the table ``storage``. An ``escudo.toml`` may lie in a folder of evidence,
    and must not send credentials elsewhere."""
    if file == PROJECT_FILE:
        message = f"[{STORAGE}] is only for the user's own file, or one that --config names"
        raise EscudoError("CLI032", message, span=place, source=text)
    if not isinstance(value, Mapping):
        raise EscudoError("CLI032", f"{STORAGE} must be a table", span=place, source=text)
    for name, told in value.items():
        variable = name.upper()
        if not variable.startswith(_STORAGE_PREFIXES) or not isinstance(told, str):
            where, _ = _find(file, text, name)
            prefixes = ", ".join(p.lower() for p in _STORAGE_PREFIXES)
            message = f"{STORAGE}.{name} must be a text, and begin with one of {prefixes}"
            raise EscudoError("CLI031", message, span=where, source=text)
        yield variable, told


def _refuse_outside(name: str, path: Path, place: Span, text: str) -> None:
    """A folder of evidence may hold an ``escudo.toml``: it must not have other files written."""
    if not path.resolve().is_relative_to(Path.cwd().resolve()):
        message = f"{name} of {PROJECT_FILE} must be in its own folder"
        raise EscudoError("CLI032", message, span=place, source=text)


def _syntax_error(file: Path, text: str, message: str) -> EscudoError:
    found = _SYNTAX_PLACE.search(message)
    lines = text.splitlines() or [""]
    line, column = (int(found[1]), int(found[2])) if found else (len(lines), len(lines[-1]) + 1)
    told = _SYNTAX_PLACE.sub("", message).strip()
    span = Span(str(file), line, column, line, column + 1)
    return EscudoError("CLI030", f"no TOML: {told}", span=span, source=text)


def _find(file: Path, text: str, name: str) -> tuple[Span, Span]:
    """Where a key stands at the top of a file, and its value."""
    key = re.escape(name)
    begin, end = r"""^[ \t]*(?:\[+[ \t]*)?(["']?)""", r"\1[ \t]*(?:=[ \t]*(?P<value>.*)|[.\]])"
    pattern = f"{begin}(?P<key>{key}){end}"
    found = re.search(pattern, text, re.MULTILINE)
    if found is None:
        return Span(str(file), 1, 1, 1, 2), Span(str(file), 1, 1, 1, 2)

    def span(group: str) -> Span:
        start, end = found.span(group)
        line = text.count("\n", 0, start) + 1
        column = start - (text.rfind("\n", 0, start) + 1)
        return Span(str(file), line, column + 1, line, column + 1 + max(1, end - start))

    return span("key"), span("value" if found["value"] else "key")


def _hide(value: Any) -> Any:
    return hide_password(value) if isinstance(value, str) else value


def list_rows(settings: Settings) -> Sequence[Mapping[str, Any]]:
    """Each key with its value and where that is from; ``default`` where nothing says one."""
    rows = []
    for key in KEYS.values():
        setting = settings.values.get(key.name)
        rows.append(
            {
                "key": key.name,
                "value": None if setting is None else _hide(setting.value),
                "source": "default" if setting is None else setting.source,
                "option": key.option,
                "variable": key.variable,
            }
        )
    return rows
