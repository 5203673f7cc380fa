"""A regular expression of Splunk's (PCRE) -> the form that all engines read alike; functions and
extractions call it.

DuckDB's engine is RE2, Spark's is Java's, and Python functions use the ``regex`` module. They agree
on a common core once group names, POSIX classes, stray braces and brackets, quoting and
Perl-only escapes are written out. What is beyond RE2 (look-around, backreferences, possessive and
atomic groups, conditionals, recursion) marks the pattern as not ``regular``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NoReturn

import regex

from escudo.core.errors import EscudoError, Span

_POSIX = {
    "alpha": "A-Za-z",
    "digit": "0-9",
    "alnum": "0-9A-Za-z",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\t\n\x0b\f\r ",
    "blank": r" \t",
    "punct": r"!-/:-@\[-`{-~",
    "xdigit": "0-9A-Fa-f",
    "word": "0-9A-Za-z_",
    "cntrl": r"\x00-\x1f\x7f",
    "print": " -~",
    "graph": "!-~",
}
_SETS = frozenset("dDwWsShHvVN")
_SPACES = {
    "h": r" \t",
    "H": "\\x00-\\x08\\x0a-\\x1f!-\U0010ffff",
    "v": r"\n\x0b\f\r",
    "V": "\\x00-\\x09\\x0e-\U0010ffff",
    "N": "\\x00-\\x09\\x0b-\U0010ffff",
}
"""What PCRE's sets of blanks and line ends hold, as the inside of a class."""
_CATEGORIES = regex.compile("C[cfnos]?|L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|S[ckmo]?|Z[lps]?")
"""The general categories of Unicode."""
_PROPERTY = regex.compile(r"\\[pP](?:([CLMNPSZ])|\{(\^?)([A-Za-z_]+)\})")
_END = r"\n?\z"
_AT_END = regex.compile(r"\)*(?:\||$)")
"""What may follow a ``$``: closed groups, then the end of the pattern or of an alternative."""
_KEPT = frozenset("dDwWsSbBAznrtfa")
_REPEAT = regex.compile(r"\{(\d+)(?:(,)(\d*))?\}")
_NAMED = regex.compile(r"\(\?(?:P?<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')")
_REFERENCE = regex.compile(
    r"\\k(?:<(\w+)>|\{(\w+)\}|'(\w+)')|\\g(?:\{(-?\w+)\}|(-?\d+))|\(\?P=(\w+)\)"
)
_FLAGS = regex.compile(r"\(\?([imsUxJ]*)(?:-([imsUxJ]+))?([:)])")
_MOST_REPEATS = 1000


@dataclass(frozen=True)
class Pattern:
    """A translated pattern. ``groups`` holds each capture group's name (None if it has none);
    ``openings`` the place of each group's parenthesis in the text."""

    text: str
    groups: tuple[str | None, ...] = ()
    regular: bool = True
    openings: tuple[int, ...] = ()
    exact: str = ""
    """The same for replacing: in ``text`` a ``$`` may take in the line break it is before."""

    @property
    def regular_exact(self) -> bool:
        """Whether RE2 can replace by it."""
        return self.regular and self.exact == self.text

    def only(self, number: int) -> Pattern:
        """The pattern with one capture group, so that it is the first (RE2 gives but nine).

        Patterns with backreferences stay as they are.

        >>> translate("(a)(b)(c)").only(2).text
        '(?:a)(b)(?:c)'
        """
        if not self.regular or number == 0:
            return self
        pieces, start = [], 0
        for group, place in enumerate(self.openings, 1):
            pieces.append(self.text[start:place] + ("(" if group == number else "(?:"))
            start = place + 1
        return Pattern("".join([*pieces, self.text[start:]]), (self.groups[number - 1],))

    def names(self) -> dict[str, int]:
        """Group name -> its number, counted from 1; the first of two equal names."""
        out: dict[str, int] = {}
        for number, name in enumerate(self.groups, 1):
            if name is not None:
                out.setdefault(name, number)
        return out


REFUSED_GROUPS = {
    "(?U)": "all quantifiers lazy, (?U), is not supported: write each with ?",
    "(?J)": "groups of one name, (?J), are not supported: give each a name of its own",
    "(?n)": "(?n) is not supported: write groups that are not captured (?:...)",
    "(?^": "(?^) is not supported: name the flags",
    "(?L": "there is no such flag",
    "(?C": "callouts are not supported",
    "(*UTF": "(*UTF) is not supported: patterns are read as text already",
    "(*UCP": "(*UCP) is not supported: use properties such as \\p{L}",
    "(*ANY": "newline conventions are not supported",
    "(*CR": "newline conventions are not supported",
    "(*LF": "newline conventions are not supported",
    "(*BSR": "newline conventions are not supported",
    "(*LIMIT": "limits are not set in patterns",
    "(*NO_": "settings of PCRE's matcher are not supported",
    "(*NOTEMPTY": "settings of PCRE's matcher are not supported",
    "(?(DEFINE": "definitions of groups, (?(DEFINE)...), are not supported: write them out",
}
"""What a parenthesis begins that PCRE2 has and that is refused (SPL203): -> why.

docs/regex.md lists it. Groups that are called before they are defined are refused, too.
"""

DIFFERENCES = {
    r"\w \d \s \b [[:alpha:]]": r"ASCII only, as PCRE2 without (*UCP); \p{L} is of all Unicode",
    r"\C": "one character, not one byte",
    r"\X": "an extended grapheme cluster of the Unicode version of the library that matches",
    "(?>...) a++ (?=...) (?<=...) (?1) (?(1)...) \\1 \\K \\G": (
        "run by an engine that backtracks, for a second a value at most (ENG007)"
    ),
    "(*SKIP) (*FAIL) (*PRUNE)": "these three verbs of backtracking work, no others",
}
"""What is read, and not quite as PCRE2 does it: -> how."""

REFUSED_LETTERS = {
    "k": r"\k is followed by a group's name",
    "g": r"\g is followed by a group's number or name",
    "N": r"\N{name} is not supported",
    **dict.fromkeys("LlUu", r"PCRE does not support \L, \l, \U or \u"),
}
"""Letters after a backslash that are errors of their own (PCRE2 pattern syntax)."""


@lru_cache(maxsize=4096)
def translate(pattern: str) -> Pattern:
    r"""The common form of a PCRE pattern; raises ``SPL203`` where it is not one.

    >>> translate(r"(?<user>[[:alpha:]]+)\\(\w+)").text
    '([A-Za-z]+)\\\\(\\w+)'
    >>> translate(r"(?<user>\w+)").names()
    {'user': 1}
    >>> translate(r"a(?!b)").regular
    False
    """
    scanner = _Scanner(pattern)
    scanner.run()
    text = "".join(scanner.out)
    exact = "".join("$" if i in scanner.ends else part for i, part in enumerate(scanner.out))
    out = Pattern(text, tuple(scanner.groups), scanner.regular, tuple(scanner.openings), exact)
    try:
        regex.compile(adapt_to_python(out.text), regex.ASCII)
    except ValueError as e:
        raise EscudoError("SPL203", f"not a regular expression: {e}") from e
    except regex.error as e:
        raise EscudoError(
            "SPL203",
            f"not a regular expression: {e.msg}",
            hint=f"in {pattern!r} at character {(e.pos or 0) + 1}" if e.pos is not None else None,
        ) from e
    return out


def checked(pattern: str, span: Span | None) -> Pattern:
    """``translate`` with the place of the pattern in its errors."""
    try:
        return translate(pattern)
    except EscudoError as e:
        raise e.located(span) from None


def adapt_to_python(text: str) -> str:
    r"""A translated pattern as the ``regex`` module reads it (``\z`` is ``\Z`` there)."""
    return str(_PYTHON.sub(_write_for_python, text))


_PYTHON = regex.compile(
    r"(?s)(?P<end>\\z)|(?P<property>\\[pP]\{[^}]*\})"
    r"|(?P<class>\[(?:\\.|\[:[^\]]*:\]|[^\]\\])*\])|\\."
)
_ASCII_SETS = {r"\d": "0-9", r"\w": "A-Za-z0-9_", r"\s": r"\t\n\x0b\f\r "}


def _write_for_python(m: regex.Match[str]) -> str:
    """A part as Python reads it: properties are of all of Unicode, though all else is ASCII."""
    if m["end"]:
        return r"\Z"
    if m["property"]:
        return f"(?u:{m[0]})"
    if m["class"] and regex.search(r"\\[pP]\{", m[0]):
        ascii_only = regex.sub(r"\\.", lambda e: _ASCII_SETS.get(e[0], e[0]), m[0])
        return f"(?u:{ascii_only})"
    return str(m[0])


@dataclass
class _Scanner:
    source: str
    at: int = 0
    regular: bool = True
    out: list[str] = field(default_factory=list)
    groups: list[str | None] = field(default_factory=list)
    openings: list[int] = field(default_factory=list)
    written: int = 0
    """The length of what is in ``out``."""
    ends: set[int] = field(default_factory=set)
    """The parts of ``out`` that stand for a ``$``."""
    named: list[bool] = field(default_factory=list)
    """For each open parenthesis whether what is in it has to be exact."""
    multiline: bool = False

    def run(self) -> None:
        while self.at < len(self.source):
            char = self.source[self.at]
            match char:
                case "\\":
                    self._escape()
                case "[":
                    self._class()
                case "(":
                    self._open()
                case "{":
                    self._brace()
                case "$":
                    self._dollar()
                case ")":
                    if self.named:
                        self.named.pop()
                    self._emit(char, 1)
                case "*" | "+" | "?":
                    self._emit(char, 1)
                    self._possessive()
                case _:
                    self._emit(char, 1)

    def _emit(self, text: str, length: int) -> None:
        self.out.append(text)
        self.written += len(text)
        self.at += length

    def _dollar(self) -> None:
        """The end, or before a line break that is the last character (PCRE2: DOLLAR).

        RE2 knows the end only. Where nothing follows, the line break can be taken into the match;
        else the engine of Python has to look ahead.
        """
        if self.multiline:
            self._emit("$", 1)
        elif any(self.named) or not _AT_END.match(self.source, self.at + 1):
            self.regular = False
            self._emit("$", 1)
        else:
            self.ends.add(len(self.out))
            self._emit(_END, 1)

    def _possessive(self) -> None:
        """After a quantifier: ``+`` makes it possessive, ``?`` lazy."""
        following = self.source[self.at : self.at + 1]
        if following == "+":
            self.regular = False
            self._emit("+", 1)
        elif following == "?":
            self._emit("?", 1)

    def _brace(self) -> None:
        m = _REPEAT.match(self.source, self.at)
        if m is None:
            self._emit(r"\{", 1)
            return
        if max(int(m[1]), int(m[3] or 0)) > _MOST_REPEATS:
            self.regular = False
        self._emit(m[0], len(m[0]))
        self._possessive()

    def _open(self) -> None:
        source, at = self.source, self.at
        for start, reason in REFUSED_GROUPS.items():
            if source.startswith(start, at):
                self._refuse(reason)
        if (m := _NAMED.match(source, at)) is not None:
            if (m[1] or m[2]) in self.groups and "(?|" not in source:
                self._refuse(f"two groups are called {m[1] or m[2]}")
            self.groups.append(m[1] or m[2])
            self.named.append(True)
            self.openings.append(self.written)
            self._emit("(", len(m[0]))
        elif (m := _REFERENCE.match(source, at)) is not None:
            self._reference(m)
        elif source.startswith("(?#", at):
            end = source.find(")", at)
            self.at = len(source) if end < 0 else end + 1
        elif source.startswith("(?:", at):
            self.named.append(False)
            self._emit("(?:", 3)
        elif (m := _FLAGS.match(source, at)) is not None:
            if set(m[1] + (m[2] or "")) - set("ims"):
                self.regular = False
            if "m" in m[1]:
                self.multiline = True
            if m[3] == ":":
                self.named.append(False)
            self._emit(m[0], len(m[0]))
        elif source.startswith(("(?", "(*"), at):
            self.regular = False
            self.named.append(True)
            width = 4 if source.startswith(("(?<=", "(?<!"), at) else 3
            if width == 4:
                self._lookbehind(at + 4)
            self._emit(source[at : at + width], width)
        else:
            self.groups.append(None)
            self.named.append(False)
            self.openings.append(self.written)
            self._emit("(", 1)

    def _lookbehind(self, start: int) -> None:
        """Refuse alternatives of a lookbehind that have no fixed length, as PCRE2 does."""
        for alternative in _alternatives(self.source, start):
            try:
                re.compile(f"(?<={alternative})")
            except re.error as error:
                if "look-behind" in str(error):
                    self._refuse("lookbehind assertion is not fixed length")

    def _reference(self, m: regex.Match[str]) -> None:
        self.regular = False
        wanted = next(g for g in m.groups() if g is not None)
        if wanted in self.groups:
            number = self.groups.index(wanted) + 1
        elif wanted.lstrip("-").isdigit():
            number = int(wanted) if int(wanted) > 0 else len(self.groups) + 1 + int(wanted)
        else:
            raise EscudoError("SPL203", f"no group {wanted!r} to refer to")
        self._emit(f"(?:\\{number})", len(m[0]))

    def _escape(self) -> None:
        source, at = self.source, self.at
        if (m := _REFERENCE.match(source, at)) is not None:
            self._reference(m)
            return
        char = source[at + 1 : at + 2]
        if char == "Q":
            end = source.find(r"\E", at)
            quoted = source[at + 2 : end if end >= 0 else len(source)]
            self._emit(regex.escape(quoted), len(quoted) + (4 if end >= 0 else 2))
        elif char in "123456789" and char:
            self.regular = False
            self._emit(f"\\{char}", 2)
        elif char in ("K", "G", "X", "Z"):
            self.regular = False
            self._emit(r"(?=\n?\z)" if char == "Z" else f"\\{char}", 2)
        elif char == "R":
            self._emit(r"(?:\r\n|[\n\x0b\f\r\x85" "\u2028\u2029])", 2)
        elif char == "C":
            self._emit("(?s:.)", 2)
        elif char in _SPACES and not (char == "N" and source.startswith("{", at + 2)):
            positive = _SPACES[char.lower()] if char != "N" else r"\n"
            self._emit(f"[{'' if char.islower() else '^'}{positive}]", 2)
        elif char == "E":
            self.at += 2
        else:
            self._emit(*self._character(in_class=False))

    def _character(self, *, in_class: bool) -> tuple[str, int]:
        """An escape that means one character or a set, and how many characters it took."""
        source, at = self.source, self.at
        char = source[at + 1 : at + 2]
        if not char:
            return r"\\", 1
        if char == "b" and in_class:
            return r"\x08", 2
        if char in ("p", "P"):
            return self._property()
        if char == "c":
            following = source[at + 2 : at + 3]
            if not (" " <= following <= "~"):
                self._refuse(r"\c is followed by a printable character")
            return _coded(ord(following.upper()) ^ 0x40), 3
        if (m := regex.compile(r"\\o\{([0-7]+)\}").match(source, at)) is not None:
            return _coded(int(m[1], 8)), len(m[0])
        if m := regex.compile(r"\\x(?:\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{1,2}))").match(source, at):
            return _coded(int(m[1] or m[2], 16)), len(m[0])
        if (m := regex.compile(r"\\0([0-7]{0,2})").match(source, at)) is not None:
            return _coded(int(m[1] or "0", 8)), len(m[0])
        if char == "e":
            return r"\x1b", 2
        if in_class and char in _SPACES:
            return _SPACES[char], 2
        if char in _KEPT:
            return f"\\{char}", 2
        if in_class and char == "E":
            return "", 2
        if char.isascii() and char.isalnum():
            self._refuse(REFUSED_LETTERS.get(char, rf"\{char} means nothing"))
        if char == "_" or ord(char) > 127:
            return char, 2
        return f"\\{char}", 2

    def _property(self) -> tuple[str, int]:
        r"""``\pL``, ``\p{Lu}``, ``\p{^Lu}``: a Unicode property; scripts are left to Python."""
        m = _PROPERTY.match(self.source, self.at)
        if m is None:
            self._refuse(r"malformed \P or \p sequence")
        negated = (self.source[self.at + 1] == "P") != bool(m[2])
        name = m[1] or m[3]
        if not _CATEGORIES.fullmatch(name):
            self.regular = False
        return rf"\{'P' if negated else 'p'}{{{name}}}", len(m[0])

    def _refuse(self, message: str) -> NoReturn:
        raise EscudoError(
            "SPL203",
            f"not a regular expression: {message}",
            hint=f"in {self.source!r} at character {self.at + 1}; a backslash that is meant as "
            "itself is written as four in double quotes",
        )

    def _class(self) -> None:
        """A bracketed class, with everything that engines read differently escaped."""
        source = self.source
        start = self.at
        parts = ["["]
        self.at += 1
        if source.startswith("^", self.at):
            parts.append("^")
            self.at += 1
        first, after_set, in_range = True, False, False
        while True:
            if self.at >= len(source):
                raise EscudoError(
                    "SPL203", f"the class opened at character {start + 1} is not closed"
                )
            char = source[self.at]
            if char == "]" and not first:
                break
            item, length, is_set = self._class_item(char)
            if char == "-":
                last = source.startswith("]", self.at + 1)
                literal = first or last or after_set or in_range
                item = r"\-" if literal else "-"
                in_range = not literal
                after_set = False
            else:
                after_set = is_set or in_range
                in_range = False
            parts.append(item)
            self.at += length
            first = False
        parts.append("]")
        self._emit("".join(parts), 1)

    def _class_item(self, char: str) -> tuple[str, int, bool]:
        source, at = self.source, self.at
        if source.startswith("[:", at) and (end := source.find(":]", at)) > 0:
            name = source[at + 2 : end]
            if name.lstrip("^") in _POSIX:
                if name.startswith("^"):
                    self.regular = False
                    return f"[:{name}:]", end + 2 - at, True
                return _POSIX[name], end + 2 - at, True
        if char == "\\":
            following = source[at + 1 : at + 2]
            text, length = self._character(in_class=True)
            return text, length, following in _SETS or following in ("p", "P")
        if char in "[]&~|^":
            return f"\\{char}", 1, False
        return char, 1, False


def _alternatives(source: str, start: int) -> Iterator[str]:
    """The alternatives from an offset to the parenthesis that closes there."""
    depth, begin, at = 0, start, start
    in_class = False
    while at < len(source):
        char = source[at]
        if char == "\\":
            at += 1
        elif in_class:
            in_class = char != "]"
        elif char == "[":
            in_class = True
        elif char == "(":
            depth += 1
        elif char == ")" and depth:
            depth -= 1
        elif not depth and char in "|)":
            yield source[begin:at]
            begin = at + 1
            if char == ")":
                return
        at += 1


def _coded(code: int) -> str:
    return f"\\x{code:02x}" if code < 256 else regex.escape(chr(code))
