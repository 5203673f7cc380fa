"""Text before the cursor -> what may come next; the prompt asks it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from escudo.actions import inspect_lake
from escudo.cli.shell.session import SHELL_COMMANDS
from escudo.core.catalog import Knowledge
from escudo.lake import Snapshot
from escudo.spl import COMMANDS, eval_functions, stats_functions

_WORD = re.compile(r"[A-Za-z0-9_.{}:-]*\Z")
_LOOKUP = re.compile(r"\b(?:inputlookup|outputlookup|lookup)\s+(?:\w+=\S+\s+)*([\w.-]*)\Z", re.I)
_DATASET = re.compile(r"(?:datamodel\s*[=:]\s*\"?|\bdatamodel\s+)([\w.]*)\Z", re.I)
_COMMAND = re.compile(r"(?:\A|[|\[])\s*(\w*)\Z")
_STATISTICS = frozenset(
    {"stats", "chart", "timechart", "eventstats", "streamstats", "tstats", "sparkline", "mstats"}
)
_EXPRESSIONS = frozenset({"eval", "where", "fieldformat", *_STATISTICS})
_MOST = 200


@dataclass(frozen=True, slots=True)
class Proposal:
    """A word that may stand at the cursor: it takes the place of the ``typed`` characters before
    it; ``about`` says what it is."""

    text: str
    typed: int
    about: str


@dataclass(frozen=True)
class Names:
    """What a search over a lake can name."""

    fields: Sequence[str] = ()
    macros: Mapping[str, str] = field(default_factory=dict)
    """Name -> definition."""
    lookups: Sequence[str] = ()
    datasets: Sequence[str] = ()


def gather_names(snapshot: Snapshot, knowledge: Knowledge) -> Names:
    """The names of a lake and its content; it looks into files, so it may take a second."""
    own = inspect_lake.list_names(inspect_lake.list_fields(snapshot), "field")
    modelled = [f"{dataset}.{name}" for dataset, name in inspect_lake.list_dataset_fields(snapshot)]
    macros = {
        str(row["macro"]): str(row["definition"]) for row in inspect_lake.list_macros(knowledge)
    }
    return Names(
        fields=tuple(dict.fromkeys([*own, *modelled])),
        macros=macros,
        lookups=tuple(sorted(knowledge.lookups())),
        datasets=tuple(f"{model}.{dataset}" for model, dataset in snapshot.datasets()),
    )


def propose(before: str, names: Names) -> Iterator[Proposal]:
    """What may come next, the likeliest first: commands after a pipe, macros in backquotes,
    lookups, datasets, functions and fields in arguments.

    >>> [p.text for p in propose("index=* | timec", Names())]
    ['timechart']
    >>> [p.text for p in propose("index=* | stats count by ho", Names(fields=["host", "user"]))]
    ['host']
    """
    proposals = list(_propose(before, names))
    yield from proposals[:_MOST]


def _propose(before: str, names: Names) -> Iterator[Proposal]:
    if before.startswith("."):
        if " " not in before:
            yield from _matching(before, ((f".{n}", c.says) for n, c in SHELL_COMMANDS.items()))
        elif before.startswith(".format "):
            shown = ["auto", "table", "events", "vertical", "jsonl", "json", "csv"]
            yield from _matching(
                before.split()[-1] if before[-1] != " " else "", _as("format", shown)
            )
        return
    if before.count("`") % 2:
        typed = before.rpartition("`")[2]
        yield from _matching(typed, ((f"{name}`", told) for name, told in names.macros.items()))
        return
    if found := _LOOKUP.search(before):
        yield from _matching(found[1], _as("lookup", names.lookups))
        return
    if found := _DATASET.search(before):
        yield from _matching(found[1], _as("dataset", names.datasets))
        return
    command, piped = _current_command(before)
    if (found := _COMMAND.search(before)) and (piped or not before.strip()):
        commands = ((name, _syntax(name)) for name in sorted(COMMANDS))
        yield from _matching(found[1], commands)
        return
    match = _WORD.search(before)
    typed = match[0] if match else ""
    if not typed:
        return
    yield from _matching(typed, _as("field", names.fields))
    if command in _STATISTICS:
        yield from _matching(typed, ((f"{n}(", "statistic") for n in sorted(stats_functions)))
    if command in _EXPRESSIONS:
        yield from _matching(typed, ((f"{n}(", "function") for n in sorted(eval_functions)))


def _current_command(before: str) -> tuple[str, bool]:
    """The name of the command that the cursor is in, and whether a pipe or bracket begins it."""
    start = max(before.rfind("|"), before.rfind("["))
    words = before[start + 1 :].split()
    return (words[0].lower() if words and start >= 0 else "search"), start >= 0


def _syntax(name: str) -> str:
    """The first line of a command's page: how it is written."""
    lines = (COMMANDS[name].__doc__ or "").strip().splitlines()
    return lines[0].replace("``", "").rstrip(".") if lines else ""


def _as(about: str, texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    return ((text, about) for text in texts)


def _matching(typed: str, texts: Iterable[tuple[str, str]]) -> Iterator[Proposal]:
    """Those that begin so in any case, then those that have it inside; what is whole is none."""
    low = typed.lower()
    inside: list[Proposal] = []
    for text, about in texts:
        if text == typed:
            continue
        if text.lower().startswith(low):
            yield Proposal(text, len(typed), about)
        elif len(low) > 2 and low in text.lower():
            inside.append(Proposal(text, len(typed), about))
    yield from inside
