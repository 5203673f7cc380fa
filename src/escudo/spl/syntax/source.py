"""The text that is parsed, and where each part of it stands in what the user wrote, for errors.

Macros are substituted before parsing. A ``Piece`` says where a run of the expanded text came
from: verbatim text maps offset by offset, a macro's text maps as a whole to the macro's call.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import NoReturn

from escudo.core.errors import EscudoError, Span


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of expanded text that begins at ``start``.

    ``macro`` is the call it came out of (None: verbatim); ``original`` and ``original_end`` bound
    its place in the original text.
    """

    start: int
    original: int
    original_end: int
    macro: str | None = None


@dataclass(frozen=True)
class Expanded:
    """Text ready to parse (macros substituted, comments removed) and its map to the original.

    >>> from escudo.spl.syntax.source import plain
    >>> str(plain("| stats count", file="a.spl").span(2, 7))
    'a.spl:1:3'
    """

    text: str
    original: str
    pieces: tuple[Piece, ...]
    file: str | None = None

    @cached_property
    def _starts(self) -> list[int]:
        return [p.start for p in self.pieces]

    @cached_property
    def _lines(self) -> list[int]:
        starts = [0]
        position = self.original.find("\n")
        while position >= 0:
            starts.append(position + 1)
            position = self.original.find("\n", position + 1)
        return starts

    def piece(self, offset: int) -> Piece:
        """The piece that an offset of the expanded text lies in."""
        return self.pieces[max(0, bisect_right(self._starts, offset) - 1)]

    def span(self, start: int, end: int) -> Span:
        """The place in the original text of the expanded text's ``[start, end)``."""
        first = self.piece(start)
        last = first if end <= start + 1 else self.piece(end - 1)
        begin = first.original if first.macro else first.original + start - first.start
        stop = last.original_end if last.macro else last.original + end - last.start
        line, column = self._place(begin)
        end_line, end_column = self._place(max(stop, begin))
        return Span(self.file, line, column, end_line, end_column)

    def _place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    def error(
        self, code: str, message: str, start: int, end: int | None = None, hint: str | None = None
    ) -> EscudoError:
        """The error at ``[start, end)``; inside a macro, it says which and shows its text."""
        end = start + 1 if end is None else end
        at_end = self.text[start : start + 1].strip() in ("", "|", "]")
        place = max(0, len(self.text[:start].rstrip()) - 1) if at_end else start
        macro = self.piece(place).macro if self.text else None
        if macro is not None:
            near = self.text[max(0, start - 20) : start + 30].strip()
            message = f"{message} (in the text of macro `{macro}`, near: {near})"
            start, end = place, max(place + 1, end)
        return EscudoError(
            code, message, span=self.span(start, end), hint=hint, source=self.original
        )

    def fail(
        self, code: str, message: str, start: int, end: int | None = None, hint: str | None = None
    ) -> NoReturn:
        """Raise ``error(...)``."""
        raise self.error(code, message, start, end, hint)


def plain(text: str, *, file: str | None = None) -> Expanded:
    """Text without macros, as it stands."""
    return Expanded(text, text, (Piece(0, 0, len(text)),), file)


def suggest(name: str, known: Iterable[str]) -> str | None:
    """A hint that names the closest known spelling, if one is close.

    >>> suggest("stat", ["stats", "table"])
    "did you mean 'stats'?"
    """
    by_lower = {k.lower(): k for k in known}
    close = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return f"did you mean '{by_lower[close[0]]}'?" if close else None
