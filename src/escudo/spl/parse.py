"""The text of a search -> its tree of commands; the front door, lint and ``why`` call it."""

from __future__ import annotations

import re

from escudo.core.catalog import Knowledge
from escudo.spl.binding.binder import Command
from escudo.spl.commands import COMMANDS
from escudo.spl.commands.unsupported import UNSUPPORTED
from escudo.spl.macros import expand, without_comments
from escudo.spl.syntax.args import Args
from escudo.spl.syntax.ast import Pipeline
from escudo.spl.syntax.lexer import Layout, Segment, read_layout
from escudo.spl.syntax.nesting import bound_nesting
from escudo.spl.syntax.source import Expanded, suggest

_NAME = re.compile(r"\s*([A-Za-z_]\w*)")
_TERM_FOLLOWS = re.compile(r"\s*(?:[<>!]?=|[<>](?!<)|IN\s*\()")


@bound_nesting
def parse(text: str | Expanded, *, file: str | None = None) -> Pipeline:
    """Parse a search.

    Comments in triple backquotes are dropped; a macro call must have been expanded before
    (``macros.expand``).

    >>> [c.name for c in parse("error | stats count BY host | head 3").commands]
    ['search', 'stats', 'head']

    Raises:
        EscudoError: with the place, what was expected there and what might be meant.
    """
    source = text if isinstance(text, Expanded) else without_comments(text, file=file)
    return _Parser(source).pipeline(0, nested=False)


def parse_expanded(text: str, knowledge: Knowledge, *, file: str | None = None) -> Pipeline:
    """Expand a search's macros and parse it. Raises what ``expand`` and ``parse`` raise."""
    return parse(expand(text, knowledge, file=file), file=file)


class _Parser:
    def __init__(self, source: Expanded) -> None:
        self.source = source
        self.layout: Layout = read_layout(source)

    def pipeline(self, begin: int, *, nested: bool) -> Pipeline:
        """The pipeline that begins at an offset (0, or just after a ``[``)."""
        segments = self.layout.pipelines[begin]
        commands = tuple(
            self._command(segment, first=i == 0, nested=nested)
            for i, segment in enumerate(segments)
        )
        return Pipeline(commands, span=self.source.span(segments[0].start, segments[-1].end))

    def subsearch(self, bracket: int) -> tuple[Pipeline, int]:
        """The subsearch whose ``[`` is at an offset, and the offset after its ``]``."""
        closing = self.layout.closing.get(bracket)
        if closing is None:
            self.source.fail("SPL100", "no subsearch can begin here", bracket)
        return self.pipeline(bracket + 1, nested=True), closing + 1

    def _command(self, segment: Segment, *, first: bool, nested: bool) -> Command:
        text, start, end = self.source.text, segment.start, segment.end
        implicit = first and not segment.piped
        match = _NAME.match(text, start, end)
        if match is None and not implicit:
            at = start + len(text[start:end]) - len(text[start:end].lstrip())
            self.source.fail("SPL100", "expected a command after '|'", min(at, max(end - 1, 0)))
        name = match[1] if match else ""
        if implicit and (
            not name
            or (not nested and name.lower() != "search")
            or _TERM_FOLLOWS.match(text, match.end() if match else start, end)
        ):
            return self._parse("search", start, end)
        if name.lower() not in COMMANDS:
            at = match.start(1) if match else start
            if (instead := UNSUPPORTED.get(name.lower())) is not None:
                message = f"command '{name}' is not supported"
                self.source.fail("SPL300", message, at, at + len(name), instead)
            self.source.fail(
                "SPL101",
                f"unknown command '{name}'",
                at,
                at + len(name),
                suggest(name, COMMANDS),
            )
        return self._parse(name, match.end() if match else start, end)

    def _parse(self, name: str, position: int, end: int) -> Command:
        args = Args(name, self.source, position, end, self.subsearch)
        command = COMMANDS[name.lower()].parse(args)
        args.finish()
        return command
