"""Coded errors and diagnostics that point at a place in a file; every package raises them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Severity(StrEnum):
    """How much a diagnostic matters to the exit code: only ``ERROR`` fails a command."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True)
class Span:
    """A place in a text. Lines and columns count from 1; the end is exclusive.

    >>> str(Span("wmi.yml", 3, 9, 3, 14))
    'wmi.yml:3:9'
    """

    file: str | None
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        place = f"{self.line}:{self.column}"
        return f"{self.file}:{place}" if self.file else place


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One row of a package's code table: ``SPL101`` and what it means in general."""

    code: str
    title: str
    advice: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A finding about input: what is wrong, where, and what to do.

    ``source`` is the text that the span points into; it is used only to draw the caret.
    """

    code: str
    message: str
    severity: Severity = Severity.ERROR
    span: Span | None = None
    hint: str | None = None
    source: str | None = None

    def render(self) -> str:
        """The diagnostic as a compiler prints it.

        >>> d = Diagnostic("SPL101", "unknown command 'stat'", span=Span(None, 1, 3, 1, 7),
        ...                hint="did you mean 'stats'?", source="| stat count")
        >>> print(d.render())
        error[SPL101] 1:3: unknown command 'stat'
          1 | | stat count
            |   ^^^^
          help: did you mean 'stats'?
        """
        place = f" {self.span}:" if self.span else ""
        lines = [f"{self.severity}[{self.code}]{place or ':'} {self.message}"]
        if self.span and self.source is not None:
            lines += _excerpt(self.source, self.span)
        if self.hint:
            lines.append(f"  help: {self.hint}")
        return "\n".join(lines)


_EXCERPT_WIDTH = 100
"""Characters of a line that are shown around an error."""


def _excerpt(source: str, span: Span) -> list[str]:
    """The line of the span with a caret below; a long line is cut around the caret."""
    rows = source.splitlines()
    if not 1 <= span.line <= len(rows):
        return []
    row = rows[span.line - 1]
    column = min(span.column, len(row) + 1)
    width = span.end_column - span.column if span.end_line == span.line else len(row) - column + 1
    start = max(0, column - 1 - _EXCERPT_WIDTH // 2) if len(row) > _EXCERPT_WIDTH else 0
    shown = row[start : start + _EXCERPT_WIDTH]
    caret = column - 1 - start
    number = str(span.line)
    gutter = " " * len(number)
    return [
        f"  {number} | {shown}",
        f"  {gutter} | {' ' * caret}{'^' * max(1, min(width, _EXCERPT_WIDTH - caret))}",
    ]


class EscudoError(Exception):
    """Any error that is the input's fault, with its diagnostic.

    >>> raise EscudoError("SRC001", "not a log file")
    Traceback (most recent call last):
    escudo.core.errors.EscudoError: error[SRC001]: not a log file
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        span: Span | None = None,
        hint: str | None = None,
        source: str | None = None,
    ) -> None:
        self.diagnostic = Diagnostic(code, message, Severity.ERROR, span, hint, source)
        super().__init__(self.diagnostic.render())

    @property
    def code(self) -> str:
        return self.diagnostic.code

    def located(self, span: Span | None = None, source: str | None = None) -> EscudoError:
        """The same error with a span and a source text where it had none."""
        mine = self.diagnostic
        filled = replace(mine, span=mine.span or span, source=mine.source or source)
        return EscudoError(
            filled.code, filled.message, span=filled.span, hint=filled.hint, source=filled.source
        )
