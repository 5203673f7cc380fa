"""``join`` where ``stats`` or ``lookup`` does the same."""

from __future__ import annotations

from collections.abc import Iterator

from escudo.core.errors import Diagnostic, Severity
from escudo.spl.commands.inputlookup import InputLookup
from escudo.spl.commands.join import Join
from escudo.spl.commands.search import Search
from escudo.spl.commands.tstats import Tstats
from escudo.spl.lint.checked import Checked, Rule
from escudo.spl.syntax.ast import CommandNode, Pipeline


def _findings(checked: Checked) -> Iterator[Diagnostic]:
    for sequence in checked.sequences:
        for step in sequence:
            if isinstance(step.command, Join):
                yield from _finding(checked, step.command, sequence[0].command)


def _finding(checked: Checked, join: Join, first: CommandNode) -> Iterator[Diagnostic]:
    inner = join.subsearch.commands[0]
    keys = " ".join(join.fields) or "the common fields"
    if isinstance(inner, InputLookup) and _only_selects(join.subsearch):
        yield checked.finding(
            "SPL508",
            f"'join' with the rows of lookup '{inner.table}' can be a 'lookup'",
            join.span,
            f"write lookup {inner.table} {keys}",
            Severity.INFO,
        )
    elif type(inner) is type(first) and isinstance(inner, Tstats | Search):
        yield checked.finding(
            "SPL508",
            "'join' keeps at most 50,000 rows of its subsearch and one match a row",
            join.span,
            f"search both at once (OR, append) and use stats values(*) AS * BY {keys}",
            Severity.INFO,
        )


def _only_selects(pipeline: Pipeline) -> bool:
    return all(c.name in ("inputlookup", "fields", "table", "rename") for c in pipeline.commands)


RULE = Rule(
    "SPL508",
    _findings,
    """A `join` runs a second search, cuts it at a limit and keeps one match of a row. Two searches
over events are better one search and `stats` by the key; a table is better a `lookup`.

    bad:    index=a | join user [search index=b]
    better: index=a OR index=b | stats values(*) as * by user
""",
)
