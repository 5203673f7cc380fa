"""Search-time fields as values: what content says about events, and what the language makes of it.

They are Splunk's (props.conf, transforms.conf, eventtypes.conf, tags.conf of the Admin Manual):
extractions, aliases, calculated fields, automatic lookups, event types, tags.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property

from escudo.core.errors import Span


class Kind(IntEnum):
    """What a stanza's name is compared with; of two that both match, the higher counts."""

    ANY = 0
    SOURCETYPE = 1
    HOST = 2
    SOURCE = 3


_SPECIAL = re.compile(r"\.\.\.|\*|\.|\\\\")
_AS_REGEX = {"...": ".*", "*": "[^/]*", ".": r"\.", "\\\\": r"\\"}
_RULED = "(?::){0}"
"""Before the name of a source type: the rest is a pattern (props.conf, stanza patterns)."""


@dataclass(frozen=True)
class EventsOf:
    """The events that a stanza is about: those of a source type, a host, a source, or all.

    ``pattern`` is the regular expression of a name with wildcards; None for one that is compared
    as it is. ``priority`` is the stanza's own, else 100 for a plain name, 0 for a pattern.
    """

    kind: Kind
    name: str
    pattern: str | None = None
    priority: int = 0

    @property
    def rank(self) -> tuple[int, int]:
        """The greater, the more its settings count; of the same rank the first by name does."""
        return (int(self.kind), self.priority)


def read_stanza(text: str, priority: int | None = None) -> EventsOf | None:
    """The events of a stanza of props.conf; None for one that acts before events are stored.

    >>> read_stanza("source::.../log/*.txt").pattern
    '.*/log/[^/]*\\\\.txt'
    >>> read_stanza("access_combined")
    EventsOf(kind=<Kind.SOURCETYPE: 1>, name='access_combined', pattern=None, priority=100)
    """
    if text.startswith(("rule::", "delayedrule::")):
        return None
    if text == "default":
        return EventsOf(Kind.ANY, "")
    for prefix, kind in (("source::", Kind.SOURCE), ("host::", Kind.HOST)):
        if text.startswith(prefix):
            return _with_pattern(kind, text.removeprefix(prefix), priority)
    if text.startswith(_RULED):
        return _with_pattern(Kind.SOURCETYPE, text.removeprefix(_RULED), priority)
    return EventsOf(Kind.SOURCETYPE, text, None, 100 if priority is None else priority)


def _with_pattern(kind: Kind, name: str, priority: int | None) -> EventsOf:
    if re.search(r"[*|()\[\]?+^$]|\.\.\.|\\\\", name) is None:
        return EventsOf(kind, name, None, 100 if priority is None else priority)
    pattern = _SPECIAL.sub(lambda m: _AS_REGEX[m[0]], name)
    return EventsOf(kind, name, pattern, priority or 0)


@dataclass(frozen=True)
class Capture:
    """Fields out of the matches of a regular expression (EXTRACT; REPORT with REGEX).

    ``fields`` are pairs of a field and the number of a group, or a constant text. ``pairs`` are
    the numbers of groups that hold a name and its value. ``repeated``: all matches are looked at;
    ``several``: a field takes the values of all, beside those it has (MV_ADD).
    """

    pattern: str
    fields: tuple[tuple[str, int | str], ...] = ()
    pairs: tuple[tuple[int, int], ...] = ()
    source: str = "_raw"
    repeated: bool = False
    several: bool = False
    clean_keys: bool = True


@dataclass(frozen=True)
class Columns:
    """Fields in the order of the values between delimiter characters (DELIMS with FIELDS)."""

    delimiters: str
    fields: tuple[str, ...]
    source: str = "_raw"


@dataclass(frozen=True)
class Pairs:
    """Fields of names and values, between characters that part pairs and such that part those."""

    pair_delimiters: str
    key_delimiters: str
    source: str = "_raw"
    several: bool = False
    clean_keys: bool = True


@dataclass(frozen=True)
class Alias:
    """A second name of a field; ``keeps``: a value that has that name already stays (ASNEW)."""

    field: str
    alias: str
    keeps: bool = False


@dataclass(frozen=True)
class Calculated:
    """A field computed by an eval expression over the fields as they were before."""

    field: str
    expression: str


@dataclass(frozen=True)
class AutomaticLookup:
    """Outputs of a lookup. Pairs are a field of the table and a field of the event; without
    ``outputs`` all fields of the table that are no inputs."""

    table: str
    inputs: tuple[tuple[str, str], ...]
    outputs: tuple[tuple[str, str], ...] = ()
    new: bool = False


What = Capture | Columns | Pairs | Alias | Calculated | AutomaticLookup


@dataclass(frozen=True)
class FieldRule:
    """One setting for the events of one stanza. ``key`` is the setting's name (``EXTRACT-x``) with
    the place of the part in it; of rules with the same key one counts for an event."""

    events: EventsOf
    key: tuple[str, int]
    what: What
    span: Span | None = None


@dataclass(frozen=True)
class FieldRules:
    """All search-time fields of some content. ``eventtypes`` are name -> search, ``tags`` are
    (field, value) -> tags."""

    rules: tuple[FieldRule, ...] = ()
    eventtypes: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def ordered(self) -> tuple[FieldRule, ...]:
        """The rules in the order of their keys, as they are carried out."""
        return tuple(sorted(self.rules, key=lambda rule: (rule.key, rule.events.name)))

    def __bool__(self) -> bool:
        return bool(self.rules or self.eventtypes or self.tags)


NO_RULES = FieldRules()
