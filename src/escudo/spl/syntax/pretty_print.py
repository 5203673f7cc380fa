"""Text of a search -> the same laid out for reading: a command a line, clauses below each other.

Only white space outside quotes changes: macros, comments, case and quoting stay as written, so the
text means what it meant, and formatting a formatted text changes nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from escudo.spl.syntax.ast import Pipeline
from escudo.spl.syntax.lexer import DOUBLE_QUOTED, FIELD_QUOTED
from escudo.spl.syntax.nesting import bound_nesting
from escudo.spl.syntax.source import plain

WIDTH = 100

_ITEM = re.compile(
    rf"""(?P<space>\s+) | (?P<comment>```.*?```)
    | (?P<atom>{DOUBLE_QUOTED}|{FIELD_QUOTED}|`[^`]*`|\\.)
    | (?P<open>\[) | (?P<close>\]) | (?P<pipe>\|) | (?P<left>\() | (?P<right>\))
    | (?P<text>[^\s"'`\\\[\]|()]+ | .)""",
    re.VERBOSE | re.DOTALL,
)
_CLAUSES = {
    "tstats": ("from", "where", "by", "groupby"),
    "mstats": ("where", "by", "groupby"),
    "stats": ("by",),
    "eventstats": ("by",),
    "streamstats": ("by",),
    "chart": ("over", "by"),
    "timechart": ("by",),
    "lookup": ("output", "outputnew"),
    "inputlookup": ("where",),
    "top": ("by",),
    "rare": ("by",),
    "fit": ("from", "by", "into"),
    "replace": ("in",),
}
"""Command -> the words that begin a clause of it."""

_MIDDLE = frozenset({"=", "==", "!=", "<", ">", "<=", ">=", "as", "in", "like", "with"})
"""No line begins with these."""
_LEADING = _MIDDLE | {"and", "or", "not", "xor"}
"""No line ends with these."""


@dataclass
class _Word:
    """Text without white space outside quotes; ``depth`` is that of the parentheses around it."""

    text: str
    depth: int


@dataclass
class _Block:
    """A subsearch, with the text glued to its brackets."""

    before: str
    segments: list[_Segment]
    after: str = ""


@dataclass
class _Segment:
    """A command: its words and subsearches. ``piped`` tells whether a ``|`` stands before it."""

    piped: bool
    parts: list[_Word | _Block] = field(default_factory=list)

    def name(self) -> str:
        first = self.parts[0] if self.parts else None
        return first.text.lower() if isinstance(first, _Word) and self.piped else "search"


@bound_nesting
def format_text(text: str, *, width: int = WIDTH) -> str:
    """Lay out a search as its user wrote it, macros and comments included.

    >>> print(format_text("index=a  | stats count  BY host|head 3"))
    index=a
    | stats count BY host
    | head 3

    Raises:
        EscudoError: SPL102 where a quote or bracket is not closed.
    """
    return "\n".join(_pipeline(_read(text), 0, width))


@bound_nesting
def lay_out(pipeline: Pipeline, *, width: int = WIDTH) -> str:
    """Lay out a parsed search.

    >>> from escudo.spl.parse import parse
    >>> print(lay_out(parse("a | append [search b | head 1 | table x]"), width=30))
    a
    | append [
        search b
        | head 1
        | table x
      ]
    """
    return format_text(pipeline.format(), width=width)


def _read(text: str) -> list[_Segment]:
    """The commands of a text, subsearches nested."""
    source = plain(text)
    segments = [_Segment(piped=False)]
    stack: list[tuple[list[_Segment], _Block, int, int]] = []
    depth, glued = 0, False
    for match in _ITEM.finditer(text):
        kind, item = match.lastgroup, match[0]
        parts = segments[-1].parts
        if kind == "space":
            glued = False
            continue
        if kind == "pipe":
            segments.append(_Segment(piped=True))
            depth, glued = 0, False
            continue
        if kind == "open":
            before = parts.pop() if glued and parts and isinstance(parts[-1], _Word) else None
            block = _Block(before.text if isinstance(before, _Word) else "", [])
            parts.append(block)
            stack.append((segments, block, depth, match.start()))
            segments, depth, glued = [_Segment(piped=False)], 0, False
            continue
        if kind == "close":
            if not stack:
                source.fail("SPL102", "']' without a '[' before it", match.start())
            inner = segments
            segments, block, depth, _ = stack.pop()
            block.segments = _without_empty(inner)
            glued = True
            continue
        if item in ('"', "`"):
            source.fail("SPL102", "this quote is never closed", match.start())
        if kind == "right":
            depth = max(0, depth - 1)
        last = parts[-1] if parts else None
        if glued and isinstance(last, _Word):
            last.text += item
        elif glued and isinstance(last, _Block):
            last.after += item
        else:
            parts.append(_Word(item, depth))
        depth += kind == "left"
        glued = True
    if stack:
        source.fail("SPL102", "this '[' is never closed", stack[-1][3])
    return _without_empty(segments)


def _without_empty(segments: list[_Segment]) -> list[_Segment]:
    return [s for s in segments if s.parts or s.piped]


def _pipeline(segments: list[_Segment], indent: int, width: int) -> list[str]:
    lines: list[str] = []
    for segment in segments:
        lines += _command(segment, indent, width)
    return lines


def _inline(segments: list[_Segment]) -> str:
    """Everything on one line."""
    out: list[str] = []
    for segment in segments:
        words = [
            p.text if isinstance(p, _Word) else f"{p.before}[{_inline(p.segments)}]{p.after}"
            for p in segment.parts
        ]
        out.append(" ".join(["|", *words] if segment.piped else words))
    return " ".join(out)


def _command(segment: _Segment, indent: int, width: int) -> list[str]:
    pad = " " * indent
    inline = pad + _inline([segment])
    blocks = [p for p in segment.parts if isinstance(p, _Block)]
    crowded = any(len(b.segments) > 1 for b in blocks)
    has_break = "\n" in inline
    if len(inline) <= width and not (crowded and segment.piped) and not has_break:
        return [inline]
    lines: list[str] = []
    words: list[_Word] = []
    lead = "| " if segment.piped else ""
    for part in segment.parts:
        if isinstance(part, _Word):
            words.append(part)
            continue
        short = f"{part.before}[{_inline(part.segments)}]{part.after}"
        if len(part.segments) <= 1 and len(short) <= width // 2:
            words.append(_Word(short, 0))
            continue
        words.append(_Word(f"{part.before}[", 0))
        lines += _fill(segment.name(), words, lead, indent, width)
        lines += _pipeline(part.segments, indent + 4, width)
        words, lead = [_Word(f"]{part.after}", 0)], "  "
    if words:
        lines += _fill(segment.name(), words, lead, indent, width)
    return lines


def _fill(name: str, words: list[_Word], lead: str, indent: int, width: int) -> list[str]:
    """Words on as many lines as they need: a line for each clause, long ones broken."""
    pad = " " * indent
    whole = f"{pad}{lead}{' '.join(w.text for w in words)}"
    if len(whole) <= width and "\n" not in whole:
        return [whole]
    clauses: list[list[_Word]] = [[]]
    for word in words:
        if clauses[-1] and word.depth == 0 and word.text.lower() in _CLAUSES.get(name, ()):
            clauses.append([])
        clauses[-1].append(word)
    lines: list[str] = []
    for i, clause in enumerate(clauses):
        first = pad + lead if i == 0 else f"{pad}    "
        lines += _wrapped(clause, first, f"{pad}        " if i else f"{pad}    ", width)
    return lines


def _wrapped(words: list[_Word], first: str, rest: str, width: int) -> list[str]:
    """Greedy lines of whole units; a unit longer than a line is broken between its words."""
    lines: list[str] = []
    line = first
    for unit in _units(words):
        text = " ".join(w.text for w in unit)
        if line.strip() in ("", "|") or len(line) + 1 + len(text) <= width:
            line = _joined(line, text)
            continue
        lines.append(line)
        line = rest + text
        if len(line) > width:
            line = rest
            for word in unit:
                if line.strip() and len(line) + 1 + len(word.text) > width:
                    lines.append(line)
                    line = rest
                line = _joined(line, word.text)
    return [*lines, line]


def _joined(line: str, text: str) -> str:
    return f"{line}{text}" if not line or line.endswith(" ") else f"{line} {text}"


def _units(words: list[_Word]) -> list[list[_Word]]:
    """Runs of words that should stay on one line: ``a = b``, ``OR x``, ``f(x) AS y``."""
    units: list[list[_Word]] = []
    for word in words:
        if units and (word.text.lower() in _MIDDLE or units[-1][-1].text.lower() in _LEADING):
            units[-1].append(word)
        else:
            units.append([word])
    return units
