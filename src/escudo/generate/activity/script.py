"""A YAML script -> typed values: tables, kinds of activity, steps of attacks; ``write`` calls it.

The keys of a script:

- ``form``: ``json`` (an event is a mapping) or ``text`` (an event is a line)
- ``host``, ``user``, ``src``: what the answer file says of an attack, as templates
- ``serial``: the table whose rows number their events
- ``short``: names for texts that occur often
- ``tables``: ``names`` and ``rows``, or ``rows: people``; ``add`` has columns made of the others.
  The column ``weight`` says how often a row is drawn, ``key`` names it. Of ``argv``, the arguments
  of a process, become ``execve`` and ``proctitle`` as the Linux audit system writes them.
- ``kinds``: ``weight`` is about how many of a thousand groups are of the kind, ``hours`` when they
  happen (``hours.py``). ``snap`` lets them begin on the five minutes. ``event`` or ``events`` are
  those of a group.
- ``campaign``: the tables of which an intruder's steps share one row
- ``attacks``: ``after`` is in minutes from the campaign's begin, ``times`` how many groups over
  ``within`` seconds. ``each`` makes one for each row of a table. ``pick`` names rows.
  ``src`` is where it comes from, if not from where the others do.

In a JSON event ``=${...}`` is a value without quotes. A mapping ``{event, delay}`` is an event that
comes later: ``delay`` has the least and the most seconds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import orjson
import yaml

from escudo.generate.activity.hours import HOURS
from escudo.generate.activity.placeholders import parse, tables_of
from escudo.generate.templates import Template

SCRIPTS = ("cloudtrail", "o365", "entra", "auditd", "suricata", "access")
"""The formats that have a script."""

_UNQUOTED = re.compile(r'"=(\$\{[^}]+\})"')
_SHORT = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Event:
    """One line, and how many seconds after its group's begin it is written."""

    template: Template
    delay: tuple[float, float] = (0, 0)


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of activity."""

    name: str
    weight: float
    hours: str
    snap: bool
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an attack: ``times`` groups of events within some seconds."""

    label: str
    technique: str
    expect: tuple[str, ...]
    after: float
    times: int
    within: float
    each: str | None
    pick: Mapping[str, str]
    src: Template
    events: tuple[Event, ...]

    @property
    def lines(self) -> int:
        return self.times * len(self.events)


@dataclass(frozen=True, slots=True)
class TableScript:
    """A table as written: columns of values (``None``: one row a person), and computed columns."""

    columns: Mapping[str, tuple[Any, ...]] | None
    add: Mapping[str, Template]


@dataclass(frozen=True, slots=True)
class Script:
    """All that a format's log is made of."""

    name: str
    json: bool
    host: Template
    user: Template
    serial: str | None
    tables: Mapping[str, TableScript]
    kinds: tuple[Kind, ...]
    campaign: tuple[str, ...]
    steps: tuple[Step, ...]


def load_script(name: str) -> Script:
    """The script of a format.

    >>> script = load_script("cloudtrail")
    >>> script.json, len(script.steps) >= 3
    (True, True)
    """
    folder = resources.files("escudo.generate").joinpath("tables/activity")
    return read_script(name, yaml.safe_load(folder.joinpath(f"{name}.yml").read_text("utf-8")))


def read_script(name: str, value: Mapping[str, Any]) -> Script:
    """A script as parsed -> its typed values.

    Raises ValueError for what is wrong in it (a mistake in the package's tables).
    """
    return _Reader(name, value).read()


class _Reader:
    def __init__(self, name: str, value: Mapping[str, Any]) -> None:
        self._name = name
        self._value = value
        self._json = value["form"] == "json"
        self._short: Mapping[str, str] = value.get("short", {})
        self._tables = {name: self._table(table) for name, table in value["tables"].items()}

    def read(self) -> Script:
        kinds = tuple(self._kind(kind) for kind in self._value["kinds"])
        if not any(len(kind.events) == 1 for kind in kinds):
            raise ValueError(f"{self._name}: no kind has one event, so not every number can be met")
        return Script(
            name=self._name,
            json=self._json,
            host=self._template(self._value["host"]),
            user=self._template(self._value["user"]),
            serial=self._value.get("serial"),
            tables=self._tables,
            kinds=kinds,
            campaign=tuple(self._value["campaign"]),
            steps=tuple(self._step(step) for step in self._value["attacks"]),
        )

    def _table(self, value: Mapping[str, Any]) -> TableScript:
        add = {name: parse(self._literal(text)) for name, text in value.get("add", {}).items()}
        if value["rows"] == "people":
            return TableScript(None, add)
        names, rows = value["names"], value["rows"]
        for row in rows:
            if len(row) != len(names):
                raise ValueError(f"{self._name}: {row} has not the columns {names}")
        columns = dict(zip(names, zip(*rows, strict=True), strict=True))
        return TableScript(columns, add)

    def _literal(self, text: str) -> str:
        """The text of a computed column, escaped like the values of the others."""
        return orjson.dumps(text).decode()[1:-1] if self._json else text

    def _kind(self, value: Mapping[str, Any]) -> Kind:
        hours = value.get("hours", "steady")
        if hours not in HOURS:
            raise ValueError(f"{self._name}: unknown hours {hours!r}")
        return Kind(
            name=value["name"],
            weight=value["weight"],
            hours=hours,
            snap=value.get("snap", False),
            events=self._events(value),
        )

    def _events(self, value: Mapping[str, Any]) -> tuple[Event, ...]:
        given = [value["event"]] if "event" in value else value["events"]
        return tuple(self._event(event) for event in given)

    def _event(self, value: Any) -> Event:
        delay = (0.0, 0.0)
        if isinstance(value, dict) and set(value) == {"event", "delay"}:
            delay = (float(value["delay"][0]), float(value["delay"][1]))
            value = value["event"]
        text = orjson.dumps(value).decode() if self._json else value
        return Event(self._template(_UNQUOTED.sub(r"\1", text) + "\n"), delay)

    def _template(self, text: str) -> Template:
        template = parse(self._written_out(text))
        unknown = tables_of(template) - self._tables.keys()
        if unknown:
            raise ValueError(f"{self._name}: unknown tables {sorted(unknown)} in {text!r}")
        return template

    def _written_out(self, text: str) -> str:
        """A text with its short names replaced, which may have others in them."""
        while (written := _SHORT.sub(self._long, text)) != text:
            text = written
        return text

    def _long(self, match: re.Match[str]) -> str:
        return self._short.get(match[1], match[0])

    def _step(self, value: Mapping[str, Any]) -> Step:
        each = value.get("each")
        times = value.get("times", 1)
        if each is not None:
            columns = self._tables[each].columns
            if columns is None:
                raise ValueError(f"{self._name}: {each} has no rows of its own")
            times = len(next(iter(columns.values())))
        return Step(
            label=value["label"],
            technique=value["technique"],
            expect=tuple(value.get("expect", ())),
            after=value["after"],
            times=times,
            within=value.get("within", 1),
            each=each,
            pick=value.get("pick", {}),
            src=self._template(value.get("src", self._value["src"])),
            events=self._events(value),
        )
