"""An index, a source or a source type that nothing here has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

from escudo.core.errors import Diagnostic
from escudo.spl.commands.metasearch import Metasearch
from escudo.spl.commands.search import Search
from escudo.spl.commands.tstats import Tstats
from escudo.spl.lint.checked import Checked, Rule, Step
from escudo.spl.syntax.ast import Compare, InList, Not, Value

_FIELDS = {"index": "index", "source": "source", "sourcetype": "source type"}
_ALWAYS = {
    "index": ("main", "summary", "risk", "notable", "_*"),
    "source": ("(Xml)?WinEventLog:*",),
    "sourcetype": ("stash",),
}
"""What searches and findings write, what Splunk has of its own, and all channels of Windows."""


def _findings(checked: Checked) -> Iterator[Diagnostic]:
    held: dict[str, tuple[str, ...]] = {}
    for step in checked.steps():
        if not _reads_raw(step):
            continue
        negated: set[int] = set()
        for node in step.command.walk(into_subsearches=False):
            if isinstance(node, Not):
                negated.update(id(inner) for inner in node.walk())
            if id(node) in negated:
                continue
            match node:
                case InList(name, values):
                    pass
                case Compare(name, "=", value):
                    values = (value,)
                case _:
                    continue
            if name not in _FIELDS:
                continue
            if name not in held:
                held[name] = tuple(_held(checked, name))
            for value in values:
                if not any(_both_match(value.text, known) for known in held[name]):
                    yield _finding(checked, name, value, held[name])


def _reads_raw(step: Step) -> bool:
    command = step.command
    if isinstance(command, Tstats):
        return command.model is None
    return step.before is None and isinstance(command, Search | Metasearch)


def _held(checked: Checked, name: str) -> Iterator[str]:
    """Values that events here can have: those of tables, and those that content speaks of."""
    for table in checked.binder.catalog.raw_tables():
        yield from sorted(table.values.get(name, ()))
    yield from sorted(checked.binder.knowledge.origins(name))
    yield from _ALWAYS[name]


def _both_match(text: str, known: str) -> bool:
    """Whether some value meets two patterns; stars stand for any text, parentheses are optional."""
    return _like(text, known) or _like(known.replace("(", "").replace(")?", ""), text)


def _like(text: str, pattern: str) -> bool:
    parts = pattern.split("*")
    regex = ".*".join(p if "(" in p else re.escape(p) for p in parts)
    return re.fullmatch(regex, text, re.IGNORECASE | re.DOTALL) is not None


def _finding(checked: Checked, name: str, value: Value, held: tuple[str, ...]) -> Diagnostic:
    close = get_close_matches(value.text, [h for h in held if "*" not in h], n=1, cutoff=0.75)
    hint = f"did you mean '{close[0]}'?" if close else None
    if hint is None and name == "index":
        own = sorted({h for h in held if "*" not in h})
        hint = f"leave it out, or take one of {', '.join(own)}"
    message = f"nothing here has the {_FIELDS[name]} '{value.text}'"
    return checked.finding("SPL516", message, value.span, hint)


RULE = Rule(
    "SPL516",
    _findings,
    """Each source has an index, a source and a source type of its own ([sources.md](sources.md));
own sources come by `--sources`. A search for another one finds nothing, whatever the logs are. What
the content's data sources, macros or props.conf speak of is not told.

    bad:    index=wineventlog sourcetype=XmlWinEventLogs EventCode=1
    better: sourcetype=XmlWinEventLog EventCode=1
""",
)
