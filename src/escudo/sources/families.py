"""Folders of YAML files -> ``Families``: all sources whose events can be told apart.

The program loads them once (``lake.tables``) and passes them on, to reading and to a lake.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from importlib.resources import files
from pathlib import Path

import yaml

from escudo.core.errors import EscudoError, Span
from escudo.sources.family import ANY, Family, Rule, parse_family
from escudo.sources.lines.recognition import Recogniser
from escudo.sources.opening import TextJudge
from escudo.spl import compile_eval

_DEFAULT = "_default.yml"
GENERAL_TEXT = "text_generic"
_SUFFIXES = (".yml", ".yaml")
SAMPLES = ".samples.yml"
"""What the name of a file with the samples of a source ends with; it is no source."""

_MOST_CLAIMS = 10_000
"""Pairs of labels that are remembered: senders may give each event a source of its own."""


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
        self._claimed: dict[tuple[str, str], Family | None] = {}

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
    def rules(self) -> tuple[tuple[Family, Rule], ...]:
        """The rules of all families, in the order in which they are tried."""
        return tuple((family, rule) for family in self.ordered for rule in family.rules)

    @cached_property
    def routing_fields(self) -> tuple[str, ...]:
        """The fields that some rule looks at, by name."""
        return tuple(sorted({name for name, _ in self._conditions()}))

    @cached_property
    def exact_fields(self) -> frozenset[str]:
        """Those of the routing fields whose value matters, not only whether they are there."""
        return frozenset(name for name, wanted in self._conditions() if ANY not in wanted)

    def judge_with(self, given: Family | None) -> TextJudge:
        """What ``open_logs`` asks whether a text is a log, where ``given`` is its source."""

        def judge(head: bytes, known: bool, asked: bool) -> bool:
            return self.recogniser.judge(head, given, known=known, asked=asked)

        return judge

    def is_general(self, family: Family) -> bool:
        """Whether a family takes what no source does: events and text of no known form."""
        return family is self.fallback or family.name == GENERAL_TEXT

    @cached_property
    def recogniser(self) -> Recogniser:
        """What tells the sources of lines of text."""
        return Recogniser.of(self.ordered)

    @property
    def general_text(self) -> Family:
        """The family of text that no source takes."""
        return self._by_name[GENERAL_TEXT]

    def claim(self, source: str | None, sourcetype: str | None) -> Family | None:
        """The family of events that are given a source and a source type, whatever is in them;
        None where these say nothing, and the events themselves decide.

        A ``*`` in a label stands for any text. What names source and source type goes before what
        names one of them, and what has no ``*`` before what has.

        >>> families = load_families()
        >>> families.claim(None, "CrowdStrike:Event:Streams:JSON").name
        'crowdstrike_streams'
        >>> families.claim("XmlWinEventLog:Security", "XmlWinEventLog") is None
        True
        """
        key = ((source or "").lower(), (sourcetype or "").lower())
        if key not in self._claimed:
            if len(self._claimed) >= _MOST_CLAIMS:
                self._claimed.clear()
            self._claimed[key] = self._find_claim(*key)
        return self._claimed[key]

    def _find_claim(self, source: str, sourcetype: str) -> Family | None:
        given = {"source": source, "sourcetype": sourcetype}
        for family, conditions in self._labels:
            if all(any(fnmatchcase(given[n], w) for w in wanted) for n, wanted in conditions):
                return family
        return None

    @cached_property
    def _labels(self) -> Sequence[tuple[Family, tuple[tuple[str, frozenset[str]], ...]]]:
        """All labels, those that say most first. A source type that several families have, and that
        none of them names as a label, decides nothing. Where one is of JSON and one of text, JSON
        goes first: lines of text show by themselves what they are."""
        shared = Counter(f.sourcetype.lower() for f in self.ordered)
        every = [
            (family, rule.conditions)
            for family in self.ordered
            if family is not self.fallback
            and ("labels" in family.definition.values or shared[family.sourcetype.lower()] == 1)
            for rule in family.labels
        ]
        return sorted(
            every,
            key=lambda each: (-len(each[1]), "*" in repr(each[1]), each[0].text is not None),
        )

    def _conditions(self) -> Iterator[tuple[str, frozenset[str]]]:
        return (condition for _, rule in self.rules for condition in rule.conditions)


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
    paths = sorted(
        p
        for p in folder.iterdir()
        if p.name.endswith(_SUFFIXES) and not p.name.endswith(SAMPLES) and p.is_file()
    )
    if not paths and not any(folder.glob("*.csv")):
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
