"""The conformance cases: YAML files of input, SPL, expected result, and where that is written.

A case stands in the file of what it is about:

- ``commands/<command>.yml``, by the command's name as it is in ``COMMANDS``; an alias has no file
  of its own;
- ``functions/<group>.yml``, by the module of ``escudo.spl.functions`` that has the function;
- ``semantics/<subject>.yml`` for a rule of the language that belongs to no one command.

A file has ``source`` (a manual page, for all its cases) and ``cases``. A case is one of

- ``eval``: an eval expression over one row ``given``; its value ``is``;
- ``error``: an eval expression or a search that must be refused with this code;
- ``spl``: a search over ``rows`` (and ``models``: name -> rows); its rows are ``expect``.

Around a search there may be ``macros`` (signature -> text), ``searches`` (saved ones), ``lookups``
(name -> rows, or a map of ``rows`` and what their definition says), ``within`` (earliest and
latest of the search) and its time ``zone``. A model may be a map of ``rows``, or of ``child_of``
and ``constraint``.

Values are SPL's: numbers and numeric text are the same, ``[x]`` is ``x``, null is a missing field.
Only the fields that ``expect`` names are compared; rows in order unless ``any_order``. ``columns``
are all fields of the result in their order, ``warns`` the codes of its diagnostics, ``writes`` the
rows that go to lookups and indexes by name, ``deletes`` the number of events. ``spark`` is
the reason why Spark cannot do it; such a case must fail there. ``source`` of a case goes before the
file's; ``inferred: why`` marks what no manual says. ``doc: true`` puts a case on the command's
page of the documentation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from escudo.spl.commands import COMMANDS
from escudo.spl.commands.foreign import APPS
from tests.conformance.catalog import text
from tests.yaml_file import read_yaml

FOLDER = Path(__file__).parent
_KEYS = frozenset(
    {"name", "eval", "given", "is", "error", "spl", "rows", "models", "expect", "any_order"}
    | {"spark", "source", "inferred", "macros", "lookups", "near"}
    | {"searches", "within", "zone", "columns", "warns", "writes", "deletes", "doc"}
)
_OTHER_NAMES = frozenset({"name", "source", "inferred", "is"})


@dataclass(frozen=True)
class Case:
    file: str
    name: str
    source: str
    eval: str | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    value: Any = None
    error: str | None = None
    spl: str | None = None
    rows: Sequence[Mapping[str, Any]] = ()
    models: Mapping[str, Any] = field(default_factory=dict)
    macros: Mapping[str, str] = field(default_factory=dict)
    lookups: Mapping[str, Any] = field(default_factory=dict)
    expect: Sequence[Mapping[str, Any]] = ()
    any_order: bool = False
    spark: str | None = None
    near: float | None = None
    """Relative tolerance of numbers; the default is 1e-12."""
    searches: Mapping[str, str] = field(default_factory=dict)
    within: Sequence[float | None] = (None, None)
    zone: str = "UTC"
    columns: Sequence[str] | None = None
    warns: Sequence[str] | None = None
    writes: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    deletes: int | None = None
    doc: bool = False
    """Whether it is an example on the command's page of the documentation."""

    @property
    def id(self) -> str:
        return f"{self.file}: {self.name}"


def read_cases(path: Path) -> Iterator[Case]:
    """The cases of one file; a ValueError names the file and the case that is malformed."""
    document = read_yaml(path)
    for raw in document["cases"]:
        unknown = set(raw) - _KEYS
        if unknown:
            raise ValueError(f"{path.name}: unknown keys {sorted(unknown)} in {raw}")
        if ("eval" in raw) == ("spl" in raw):
            raise ValueError(f"{path.name}: one of eval and spl, in {raw}")
        source = raw.get("source") or raw.get("inferred") or document.get("source")
        if not source:
            raise ValueError(f"{path.name}: no source for {raw}")
        yield Case(
            file=f"{path.parent.name}/{path.stem}",
            name=_name(raw),
            source=source,
            value=raw.get("is"),
            **{key: value for key, value in raw.items() if key not in _OTHER_NAMES},
        )


def _name(raw: Mapping[str, Any]) -> str:
    """The name given, else the text with what it is given."""
    if "name" in raw:
        return str(raw["name"])
    given = ", ".join(f"{k}={v}" for k, v in raw.get("given", {}).items())
    written = str(raw.get("eval") or raw.get("spl"))
    return f"{written} for {given}" if given else written


@cache
def all_cases() -> Sequence[Case]:
    return tuple(case for path in sorted(FOLDER.glob("*/*.yml")) for case in read_cases(path))


def list_files(cases: Iterable[Case]) -> list[str]:
    """The files of cases: ``commands/head``, ``functions/text``."""
    return sorted({case.file for case in cases})


def names_by_command() -> Mapping[str, list[str]]:
    """The first name of each command -> all of its names; each command of an app is one.

    >>> names_by_command()["bin"]
    ['bin', 'bucket', 'discretize']
    """
    names: dict[object, list[str]] = defaultdict(list)
    for name, command in COMMANDS.items():
        names[name if name in APPS else command].append(name)
    return {first: [first, *aliases] for first, *aliases in sorted(names.values())}


# --- comparing --------------------------------------------------------------------------------


def spl_value(value: Any) -> Any:
    """A result or an expectation as SPL text, a list of texts, or None."""
    if isinstance(value, list):
        values = [v for v in map(spl_value, value) if v is not None]
        return None if not values else values[0] if len(values) == 1 else values
    return None if value is None else text(value)


def same(found: Any, wanted: Any, near: float | None = None) -> bool:
    """Whether two values are one to SPL; numbers within a relative tolerance.

    >>> same(5.0, "5"), same(["a"], "a"), same("a", "A"), same(None, "")
    (True, True, False, False)
    """
    if isinstance(found, float | int) and isinstance(wanted, float | int):
        return abs(found - wanted) <= (near or 1e-12) * max(abs(found), abs(wanted), 1e-300)
    return bool(spl_value(found) == spl_value(wanted))


def differences(found: Sequence[Mapping[str, Any]], case: Case) -> list[str]:
    """Where the rows of a search are not the expected ones; empty if all is as expected."""
    return unlike(found, case.expect, case)


def unlike(
    found: Sequence[Mapping[str, Any]], expect: Sequence[Mapping[str, Any]], case: Case
) -> list[str]:
    """Where rows differ, in the order and with the tolerance of a case."""
    wanted = list(expect)
    if len(found) != len(wanted):
        return [f"{len(found)} rows instead of {len(wanted)}: {list(found)}"]
    names = list(dict.fromkeys(n for row in wanted for n in row))
    picked = [{n: row.get(n) for n in names} for row in found]
    expected = [{n: row.get(n) for n in names} for row in wanted]
    if case.any_order:
        picked, expected = (sorted(rows, key=_key) for rows in (picked, expected))
    return [
        f"row {i + 1}, {n}: {f[n]!r} instead of {w[n]!r}"
        for i, (f, w) in enumerate(zip(picked, expected, strict=True))
        for n in names
        if not same(f[n], w[n], case.near)
    ]


def _key(row: Mapping[str, Any]) -> list[str]:
    return [str(spl_value(v)) for v in row.values()]
