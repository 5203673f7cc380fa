"""Folders of YAML files -> ``Families``: all sources whose events can be told apart.

The program loads them once (``lake.tables``) and passes them on, to reading and to a lake.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from importlib.resources import files
from pathlib import Path

import yaml

from escudo.core.errors import EscudoError, Span
from escudo.sources.family import ANY, Family, parse_family
from escudo.spl import compile_eval

_DEFAULT = "_default.yml"
_SUFFIXES = (".yml", ".yaml")


class Families(Mapping[str, Family]):
    """Source families by name, in the order in which they are tried: by priority, then by name.

    ``own`` are those that are not Escudo's.

    >>> families = load_families()
    >>> list(families)[0], families.fallback.name, families.own
    ('sysmon', 'json_generic', ())
    """

    def __init__(self, every: Iterable[Family], own: Iterable[Family] = ()) -> None:
        self.own = tuple(own)
        ordered = sorted([*every, *self.own], key=lambda f: (f.priority, f.name))
        self._by_name = {f.name: f for f in ordered}

    def __getitem__(self, name: str) -> Family:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    @cached_property
    def ordered(self) -> tuple[Family, ...]:
        """The families in the order in which they are tried."""
        return tuple(self._by_name.values())

    @property
    def fallback(self) -> Family:
        """The family of an event that no rule takes: the last one."""
        return self.ordered[-1]

    @cached_property
    def routing_fields(self) -> tuple[str, ...]:
        """The fields that some rule looks at, by name."""
        return tuple(sorted({name for name, _ in self._conditions()}))

    @cached_property
    def exact_fields(self) -> frozenset[str]:
        """Those of the routing fields whose value matters, not only whether they are there."""
        return frozenset(name for name, wanted in self._conditions() if ANY not in wanted)

    def _conditions(self) -> Iterator[tuple[str, frozenset[str]]]:
        return (c for family in self.ordered for rule in family.rules for c in rule.conditions)


def load_families(folders: Sequence[Path] = ()) -> Families:
    """Escudo's own sources, and those of the YAML files in some folders (not in folders below).

    It takes 25 to 40 ms (7 sources, 2 cores, 2026-11), so load them once and pass them on.

    Raises:
        EscudoError: SRC050, SRC051, SRC053 with file, line and column; SRC002 for a file that
            cannot be read, SRC052 for a folder without a source.
    """
    texts = {
        file.name: file.read_text("utf-8")
        for file in files("escudo.sources.catalog").iterdir()
        if file.name.endswith(_SUFFIXES)
    }
    default = yaml.load(texts.pop(_DEFAULT), yaml.CSafeLoader)["calculated"]
    installed = {f.name: f for f in (parse_family(t, n, default) for n, t in texts.items())}
    own: dict[str, Family] = {}
    for folder in folders:
        for path in _list_definitions(folder):
            family = parse_family(_read_file(path), str(path), default)
            if family.name in installed or family.name in own:
                message = f"there is a source {family.name!r} already"
                raise family.definition.error("SRC051", message, "name")
            _check_calculated(family)
            own[family.name] = family
    return Families(installed.values(), own.values())


def _list_definitions(folder: Path) -> list[Path]:
    paths = sorted(p for p in folder.iterdir() if p.name.endswith(_SUFFIXES) and p.is_file())
    if not paths:
        raise EscudoError("SRC052", f"{folder} holds no YAML file of a source")
    return paths


def _read_file(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise EscudoError("SRC002", f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        span = Span(str(path), 1, 1, 1, 2)
        raise EscudoError("SRC050", f"not UTF-8 at byte {error.start}", span=span) from error


def _check_calculated(family: Family) -> None:
    """Compiles the search-time fields that a definition gives itself; SRC053 where one is wrong."""
    for name, expr in (family.definition.values.get("calculated") or {}).items():
        try:
            compile_eval(str(expr), family.schema)
        except EscudoError as error:
            message = f"calculated field {name!r}: {error.diagnostic.message}"
            path = ("calculated", str(name))
            raise family.definition.error(
                "SRC053", message, *path, hint=error.diagnostic.hint
            ) from error
