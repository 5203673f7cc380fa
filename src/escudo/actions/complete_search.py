"""Text before the cursor -> what may come next in a search; the shell's prompt and the editor of
the server's search page ask it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from escudo.actions import inspect_lake
from escudo.core.catalog import Knowledge
from escudo.lake import Snapshot
from escudo.spl import COMMANDS, eval_functions, options_of, stats_functions

_WORD = re.compile(r"[A-Za-z0-9_.{}:-]*\Z")
_LOOKUP = re.compile(r"\b(?:inputlookup|outputlookup|lookup)\s+(?:\w+=\S+\s+)*([\w.-]*)\Z", re.I)
_DATASET = re.compile(r"(?:datamodel\s*[=:]\s*\"?|\bdatamodel\s+)([\w.]*)\Z", re.I)
_COMMAND = re.compile(r"(?:\A|[|\[])\s*(\w*)\Z")
_INDEX = re.compile(r"\bindex\s*=\s*\"?([\w.-]*)\Z", re.I)
_SOURCETYPE = re.compile(r"\bsourcetype\s*=\s*\"?([\w.:/-]*)\Z", re.I)
_GROUPING = re.compile(r"\b(?:by|over)\s[^|\[]*\Z", re.I)
_STATISTICS = frozenset(
    {"stats", "chart", "timechart", "eventstats", "streamstats", "tstats", "sparkline", "mstats"}
)
_EXPRESSIONS = frozenset({"eval", "where", "fieldformat", *_STATISTICS})
_WORDS: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(_STATISTICS, ("by", "as", "where", "over", "span")),
    **dict.fromkeys(("top", "rare", "sort", "dedup"), ("by", "sortby")),
    **dict.fromkeys(("rename", "lookup"), ("as", "output", "outputnew")),
    **dict.fromkeys(("search", "where"), ("AND", "OR", "NOT", "IN")),
}
"""Words that stand between the arguments of commands."""
_MOST = 200


@dataclass(frozen=True, slots=True)
class Proposal:
    """A word that may stand at the cursor: it takes the place of the ``typed`` characters before
    it.

    ``about`` says what it is, in a few words; ``kind`` is one of command, option, function,
    statistic, word, field, macro, lookup, dataset, value, or the shell's own.
    """

    text: str
    typed: int
    about: str
    kind: str


@dataclass(frozen=True)
class Names:
    """What a search over a lake can name."""

    fields: Sequence[str] = ()
    macros: Mapping[str, str] = field(default_factory=dict)
    """Name -> definition."""
    lookups: Sequence[str] = ()
    datasets: Sequence[str] = ()
    indexes: Sequence[str] = ()
    sourcetypes: Sequence[str] = ()


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
    lookups, datasets, then words, options, functions and fields in the arguments of a command.

    >>> [p.text for p in propose("index=* | timec", Names())]
    ['timechart']
    >>> [p.text for p in propose("index=* | stats count by ho", Names(fields=["host", "user"]))]
    ['host']
    >>> [(p.text, p.kind) for p in propose("index=* | dedup keepev", Names())]
    [('keepevents=', 'option')]
    """
    proposals = list(_propose(before, names))
    yield from proposals[:_MOST]


def _propose(before: str, names: Names) -> Iterator[Proposal]:
    if before.count("`") % 2:
        typed = before.rpartition("`")[2]
        macros = ((f"{name}`", told) for name, told in names.macros.items())
        yield from match_names(typed, macros, "macro")
        return
    for pattern, kind, known in (
        (_LOOKUP, "lookup", names.lookups),
        (_DATASET, "dataset", names.datasets),
        (_INDEX, "value", names.indexes),
        (_SOURCETYPE, "value", names.sourcetypes),
    ):
        if found := pattern.search(before):
            yield from match_names(found[1], ((name, kind) for name in known), kind)
            return
    command, piped = _find_command(before)
    if (found := _COMMAND.search(before)) and (piped or not before.strip()):
        commands = ((name, describe_syntax(name)) for name in sorted(COMMANDS))
        yield from match_names(found[1], commands, "command")
        return
    match = _WORD.search(before)
    typed = match[0] if match else ""
    if not typed:
        return
    if command in COMMANDS:
        options = ((f"{o.name}=", o.help) for o in options_of(COMMANDS[command]))
        yield from match_names(typed, options, "option")
    yield from match_names(typed, ((word, "word") for word in _WORDS.get(command, ())), "word")
    grouping = _GROUPING.search(before) is not None
    if command in _STATISTICS and not grouping:
        statistics = ((f"{name}(", "statistic") for name in sorted(stats_functions))
        yield from match_names(typed, statistics, "statistic")
    yield from match_names(typed, ((name, "field") for name in names.fields), "field")
    if command in _EXPRESSIONS and not grouping:
        functions = ((f"{name}(", "function") for name in sorted(eval_functions))
        yield from match_names(typed, functions, "function")


def _find_command(before: str) -> tuple[str, bool]:
    """The name of the command that the cursor is in, and whether a pipe or bracket begins it."""
    start = max(before.rfind("|"), before.rfind("["))
    words = before[start + 1 :].split()
    return (words[0].lower() if words and start >= 0 else "search"), start >= 0


def describe_syntax(name: str) -> str:
    """The first line of a command's page: how it is written."""
    lines = (COMMANDS[name].__doc__ or "").strip().splitlines()
    return lines[0].replace("``", "").rstrip(".") if lines else ""


def match_names(typed: str, texts: Iterable[tuple[str, str]], kind: str) -> Iterator[Proposal]:
    """Those of some (text, about) that begin so in any case, then those that have it inside; what
    is whole is none."""
    low = typed.lower()
    inside: list[Proposal] = []
    for text, about in texts:
        if text == typed:
            continue
        if text.lower().startswith(low):
            yield Proposal(text, len(typed), about, kind)
        elif len(low) > 2 and low in text.lower():
            inside.append(Proposal(text, len(typed), about, kind))
    yield from inside
