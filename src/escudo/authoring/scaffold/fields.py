"""What a new element of each kind is asked: rows that the command's options, its questions on a
terminal, and the builders of elements share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from escudo.content.checks.words import (
    ASSET_TYPES,
    DETECTION_CATEGORIES,
    SECURITY_DOMAINS,
    STORY_CATEGORIES,
    USE_CASES,
)
from escudo.content.elements.detection import TYPES


class Shape(Enum):
    """What a value is: one text, one of a few words, a whole number, or several texts."""

    TEXT = "text"
    CHOICE = "choice"
    NUMBER = "number"
    TEXTS = "texts"


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that an element is made from.

    ``asked``: on a terminal it is asked for unless it is given. ``default`` is what it is without
    an answer; a ``needed`` one has none. ``instead`` is a field that takes its place where it is
    given.
    """

    name: str
    about: str
    shape: Shape = Shape.TEXT
    default: str | int | None = None
    choices: tuple[str, ...] = ()
    asked: bool = False
    needed: bool = False
    instead: str = ""

    @property
    def option(self) -> str:
        """The command line's name of it."""
        return "--" + self.name.replace("_", "-")


def _text(
    name: str, about: str, default: str = "", *, asked: bool = False, needed: bool = False
) -> Field:
    return Field(name, about, default=None if needed else default, asked=asked, needed=needed)


def _choice(
    name: str, about: str, choices: tuple[str, ...], default: str, *, asked: bool = False
) -> Field:
    return Field(name, about, Shape.CHOICE, default, choices, asked=asked)


def _texts(name: str, about: str, *, asked: bool = False, instead: str = "") -> Field:
    return Field(name, about, Shape.TEXTS, asked=asked, instead=instead)


_AUTHOR = _text("author", "Who wrote it [default: app.author_name of contentctl.yml, or git's].")
_DESCRIPTION = _text("description", "What it finds or is for.", asked=True)
_REFERENCE = _texts("reference", "URL of a report or manual; repeatable.")
_IMPLEMENT = _text("how_to_implement", "What has to be collected for it.")
_FALSE_POSITIVES = _text("known_false_positives", "What else it finds.")
_STORY = _texts("story", "Analytic story that it belongs to; repeatable.", asked=True)
_DOMAIN = _choice(
    "security_domain", "Security domain of its findings.", SECURITY_DOMAINS, "endpoint"
)

FIELDS: Mapping[str, Sequence[Field]] = {
    "detection": (
        _text("search", "SPL; its filter macro is put at the end.", asked=True, needed=True),
        _choice("type", "What a row brings about.", TYPES, "TTP", asked=True),
        _choice("folder", "Folder below detections/.", DETECTION_CATEGORIES, "endpoint"),
        _AUTHOR,
        _DESCRIPTION,
        _texts("data_source", "Data source (A, or A AND B); repeatable.", asked=True),
        _STORY,
        _texts("technique", "ATT&CK technique (T1047); repeatable.", asked=True),
        _texts(
            "risk_object",
            "FIELD[:TYPE[:SCORE]] that gains risk; repeatable [default: dest, "
            "user and the like, of the search's fields].",
        ),
        _texts("threat_object", "FIELD[:TYPE], evidence of the attacker; repeatable."),
        Field("score", "Risk score of objects without one of their own.", Shape.NUMBER, 50),
        _text("message", "Message of its risk events, with $field$."),
        _choice("asset_type", "Asset type.", ASSET_TYPES, "Endpoint"),
        _DOMAIN,
        _text("throttle", "FIELD[,FIELD]:PERIOD, such as dest,user:24h."),
        _REFERENCE,
        _IMPLEMENT,
        _FALSE_POSITIVES,
        _texts("cve", "CVE that it is about; repeatable."),
        _texts("test_data", "File or URL of events that it must find; repeatable."),
        _text("source", "Source of the test's events."),
        _text("sourcetype", "Source type of the test's events."),
        Field(
            "status",
            "Status [default: production with a test, else experimental].",
            Shape.CHOICE,
            None,
            ("production", "experimental"),
        ),
    ),
    "macro": (
        _text("definition", "SPL that it stands for.", asked=True, needed=True),
        _texts("argument", "Name of an argument ($name$ in the definition); repeatable."),
        _DESCRIPTION,
    ),
    "lookup": (
        _choice("type", "A CSV file, or a KV store.", ("csv", "kvstore"), "csv", asked=True),
        _texts(
            "column", "Column, or field of the collection; repeatable.", asked=True, instead="csv"
        ),
        _text("csv", "CSV file that its rows are copied from, in place of --column."),
        _AUTHOR,
        _DESCRIPTION,
        _texts("match_type", "WILDCARD(column) or CIDR(column); repeatable."),
        _text("default_match", "Value of the outputs where nothing matches."),
        Field("min_matches", "Fewest matches, filled up with --default-match.", Shape.NUMBER),
        Field("max_matches", "Most matches of one row, 1 to 1000.", Shape.NUMBER),
        _choice("case", "Whether case counts.", ("sensitive", "insensitive"), "sensitive"),
    ),
    "story": (
        _AUTHOR,
        _DESCRIPTION,
        _text("narrative", "The longer account: who does it, how, what to look at.", asked=True),
        Field(
            "category", "Category; repeatable.", Shape.TEXTS, choices=STORY_CATEGORIES, asked=True
        ),
        _choice("use", "Use case.", USE_CASES, "Advanced Threat Detection"),
        _REFERENCE,
        _texts("cve", "CVE that it is about; repeatable."),
    ),
    "baseline": (
        _text("search", "SPL that writes a lookup or a model.", asked=True, needed=True),
        _AUTHOR,
        _DESCRIPTION,
        _STORY,
        _texts("detection", "Detection that compares with it; repeatable.", asked=True),
        _text("cron", "When it runs, in cron's form [default: as the deployment of baselines]."),
        _text("earliest", "Begin of its window [default: as the deployment]."),
        _text("latest", "End of its window [default: as the deployment]."),
        _DOMAIN,
        _REFERENCE,
        _IMPLEMENT,
        _FALSE_POSITIVES,
    ),
    "data_source": (
        _text("source", "Source of its events.", asked=True, needed=True),
        _text("sourcetype", "Source type of its events.", asked=True, needed=True),
        _AUTHOR,
        _DESCRIPTION,
        _text("separator", "Field that tells its events from others of the source."),
        _text("separator_value", "That field's value."),
        _texts("field", "Field of its events; repeatable."),
        _texts("add_on", "NAME:VERSION[:URL] of the Splunk add-on for it; repeatable."),
        _text("example", "File of one event, as an example."),
    ),
}
"""By kind of element, in the order in which they are asked."""
