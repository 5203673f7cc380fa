"""Fields that are not there: never, not yet, or no more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from difflib import get_close_matches

from escudo.core.errors import Diagnostic, EscudoError, Severity
from escudo.spl.binding import dataset
from escudo.spl.binding.binder import Binder
from escudo.spl.commands.search import Search
from escudo.spl.commands.tstats import Tstats
from escudo.spl.lint.checked import Checked, Rule, Step
from escudo.spl.lint.references import Reference, find_references
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.ast import Compare, SearchExpr

ALWAYS = frozenset(
    {"_time", "_raw", "_indextime", "index", "host", "source", "sourcetype", "nodename", "tag"}
    | {"eventtype", "linecount", "punct", "splunk_server", "timestamp", "search_name"}
)
"""Fields that every event may have, whatever its schema says."""


def _findings(checked: Checked, code: str) -> Iterator[Diagnostic]:
    for sequence in checked.sequences:
        for i, step in enumerate(sequence):
            rows = _rows(step, checked.binder)
            if rows is None:
                continue
            for named in find_references(step.command):
                reference = _placed(named, step, checked)
                kind = _kind(reference, rows, sequence, i)
                if kind == code:
                    yield _explained(checked, code, reference, rows, sequence, i)


def _placed(reference: Reference, step: Step, checked: Checked) -> Reference:
    """The reference with its own place, where only that of its command is known."""
    if reference.span is not step.command.span:
        return reference
    word = rf"(?<![\w.]){re.escape(reference.name)}(?![\w.])"
    return replace(reference, span=checked.narrow(reference.span, word))


def _rows(step: Step, binder: Binder) -> Relation | None:
    """The rows whose fields a command reads."""
    command = step.command
    if isinstance(command, Tstats):
        if command.model is None:
            return None
        node = _node(command.where)
        try:
            found = dataset.find(command.model, node or command.dataset, binder, command.span)
        except EscudoError:
            return None
        return dataset.read_prefixed(found, binder)
    if isinstance(command, Search) and step.before is None:
        return step.after
    return step.before


def _node(where: SearchExpr | None) -> str | None:
    for node in where.walk() if where is not None else ():
        if isinstance(node, Compare) and node.field_name == "nodename":
            return node.value.text
    return None


def _kind(reference: Reference, rows: Relation, sequence: tuple[Step, ...], at: int) -> str | None:
    name = reference.name
    if name in ALWAYS or name.startswith(("date_", "tag::")):
        return None
    if rows.bound(name) is not None and not (rows.rest is not None and _misspelt(name, rows)):
        return None
    if rows.rest is not None:
        return "SPL501"
    if _maker(name, sequence[at + 1 :]) is not None:
        return "SPL502"
    if any(_has(s.after, name) for s in sequence[:at]):
        return "SPL503"
    return "SPL501"


def _maker(name: str, later: tuple[Step, ...]) -> Step | None:
    """The first later command that makes a field; one that reads it does not make it."""
    for step in later:
        if step.before is not None and _has(step.after, name) and not _has(step.before, name):
            reads = any(r.name == name for r in find_references(step.command))
            return None if reads else step
    return None


def _has(rows: Relation, name: str) -> bool:
    return name in rows.names()


def _misspelt(name: str, rows: Relation) -> bool:
    """Whether open rows know the name in another case only."""
    names = rows.names()
    return name not in names and _other_case(name, names) is not None


def _other_case(name: str, names: list[str]) -> str | None:
    lower = name.lower()
    return next((n for n in names if n.lower() == lower and n != name), None)


def _explained(
    checked: Checked,
    code: str,
    reference: Reference,
    rows: Relation,
    sequence: tuple[Step, ...],
    at: int,
) -> Diagnostic:
    name = reference.name
    if code == "SPL502":
        maker = _maker(name, sequence[at + 1 :])
        place = maker.command.span if maker else None
        where = f" ({maker.command.name} at {place.line}:{place.column})" if maker and place else ""
        message = f"field '{name}' is used before it exists{where}"
        return checked.finding(code, message, reference.span)
    if code == "SPL503":
        had = [i for i in range(at) if _has(sequence[i].after, name)]
        dropping = sequence[had[-1] + 1].command.name
        message = f"field '{name}' is gone: '{dropping}' did not keep it"
        return checked.finding(code, message, reference.span, _closest(name, rows))
    if rows.rest is not None:
        message = f"no source here has a field '{name}'"
        hint = f"did you mean '{_other_case(name, rows.names())}'?"
        return checked.finding(code, message, reference.span, hint)
    command = sequence[at].command
    if isinstance(command, Tstats):
        full = f"{command.model}.{command.dataset}" if command.dataset else f"{command.model}"
        message = f"data model {full} has no field '{name}'"
    else:
        message = f"there is no field '{name}' here"
    return checked.finding(code, message, reference.span, _closest(name, rows), Severity.WARNING)


def _closest(name: str, rows: Relation) -> str | None:
    names = rows.names()
    other = _other_case(name, names)
    if other is None:
        tail = name.rsplit(".", 1)[-1]
        ending = [n for n in names if n.rsplit(".", 1)[-1] == tail]
        close = ending[:1] or get_close_matches(name, names, n=1, cutoff=0.75)
        other = close[0] if close else None
    return f"did you mean '{other}'?" if other else None


UNKNOWN = Rule(
    "SPL501",
    lambda checked: _findings(checked, "SPL501"),
    """A field that no schema knows is null, so a condition on it never holds and a column of it is
empty. Fields of a data model are written with the name of their dataset in `tstats`.

    bad:    | tstats count from datamodel=Endpoint.Processes by Processes.proces_name
    better: | tstats count from datamodel=Endpoint.Processes by Processes.process_name
""",
)
TOO_EARLY = Rule(
    "SPL502",
    lambda checked: _findings(checked, "SPL502"),
    """A field is read by one command and made by a later one, so it is null where it is read.

    bad:    ... | where total > 5 | eval total = a + b
    better: ... | eval total = a + b | where total > 5
""",
)
GONE = Rule(
    "SPL503",
    lambda checked: _findings(checked, "SPL503"),
    """`stats`, `table`, `fields` and their like keep the fields they name and no others; a field
read after them is null.

    bad:    ... | stats count by user | where status=200
    better: ... | where status=200 | stats count by user
""",
)
