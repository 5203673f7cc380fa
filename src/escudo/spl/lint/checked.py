"""A search as rules see it: its tree, and the fields there are before and after each command."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import accumulate

from escudo.core.catalog import Catalog, Knowledge
from escudo.core.errors import Diagnostic, ErrorCode, EscudoError, Severity, Span
from escudo.core.timerange import ALL_TIME
from escudo.spl.binding.binder import Binder
from escudo.spl.commands.appendpipe import AppendPipe
from escudo.spl.commands.search import Search
from escudo.spl.operators.ruled_events import add_ruled_fields
from escudo.spl.parse import parse_expanded
from escudo.spl.relation.bases import TableBase
from escudo.spl.relation.clock import Clock
from escudo.spl.relation.relation import Relation
from escudo.spl.syntax.ast import CommandNode, Pipeline
from escudo.spl.syntax.codes import CODES
from escudo.spl.syntax.nesting import bound_nesting
from escudo.spl.syntax.source import Expanded


@dataclass(frozen=True)
class Step:
    """A command with the rows before it (None: it starts a search) and after it."""

    command: CommandNode
    before: Relation | None
    after: Relation


@dataclass(frozen=True)
class Checked:
    """A search bound for lint. ``sequences`` are the pipelines in it, the outermost first."""

    text: str
    source: Expanded
    pipeline: Pipeline
    binder: Binder
    sequences: tuple[tuple[Step, ...], ...]
    errors: tuple[Diagnostic, ...]

    def steps(self) -> Iterator[Step]:
        """The commands of all pipelines."""
        for sequence in self.sequences:
            yield from sequence

    def narrow(self, span: Span | None, pattern: str) -> Span | None:
        """The first match of a pattern in the text at a span; the span itself without one."""
        if span is None:
            return None
        lines = self.text.splitlines(keepends=True)
        starts = [0, *accumulate(map(len, lines))]
        if span.end_line > len(starts):
            return span
        begin = starts[span.line - 1] + span.column - 1
        end = starts[span.end_line - 1] + span.end_column - 1
        found = re.compile(pattern).search(self.text, begin, end)
        if found is None:
            return span
        line = bisect_right(starts, found.start())
        column = found.start() - starts[line - 1] + 1
        return replace(
            span,
            line=line,
            column=column,
            end_line=line,
            end_column=column + found.end() - found.start(),
        )

    def finding(
        self,
        code: str,
        message: str,
        span: Span | None,
        hint: str | None = None,
        severity: Severity = Severity.WARNING,
    ) -> Diagnostic:
        """A finding of a rule."""
        return Diagnostic(code, message, severity, span, hint, self.text)


@dataclass(frozen=True)
class Rule:
    """A row of the table of rules. ``doc`` says why, with an example of bad and better SPL."""

    code: str
    findings: Callable[[Checked], Iterator[Diagnostic]] = field(repr=False)
    doc: str = field(repr=False, default="")

    @property
    def row(self) -> ErrorCode:
        """The code's row in the table of codes."""
        return CODES[self.code]


def find_subsearches(command: CommandNode) -> list[Pipeline]:
    """The subsearches directly in a command."""
    nodes = command.walk(into_subsearches=False)
    return [node for node in nodes if isinstance(node, Pipeline)]


@bound_nesting
def check_search(
    text: str,
    source: Expanded,
    pipeline: Pipeline,
    catalog: Catalog,
    knowledge: Knowledge,
    file: str | None,
) -> Checked:
    """Bind a search command by command; a command that cannot be bound leaves any field open."""
    binder = Binder(
        catalog=catalog,
        knowledge=knowledge,
        clock=Clock(0.0),
        within=ALL_TIME,
        parse=partial(parse_expanded, knowledge=knowledge, file=file),
        dress=add_ruled_fields,
    )
    sequences: list[tuple[Step, ...]] = []
    errors: list[Diagnostic] = []

    def sequence(found: Pipeline, relation: Relation | None) -> None:
        at = len(sequences)
        sequences.append(())
        steps: list[Step] = []
        for command in found.commands:
            before = relation
            try:
                relation = binder.apply(command, before)
            except EscudoError as error:
                errors.append(error.located(command.span, text).diagnostic)
                relation = binder.anything(["_time"])
            if _unmapped(command, before, relation):
                relation = binder.anything(["_time"])
            steps.append(Step(command, before, relation))
            for inner in find_subsearches(command):
                sequence(inner, before if isinstance(command, AppendPipe) else None)
        sequences[at] = tuple(steps)

    sequence(pipeline, None)
    warned = tuple(replace(d, source=text) for d in binder.diagnostics)
    return Checked(text, source, pipeline, binder, tuple(sequences), (*errors, *warned))


def _unmapped(command: CommandNode, before: Relation | None, after: Relation) -> bool:
    """Whether a raw search matches no source here, so that nothing is known of its fields."""
    return isinstance(command, Search) and before is None and isinstance(after.base, TableBase)
