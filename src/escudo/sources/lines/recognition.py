"""Lines of text -> which source each is of; ``reader``, ``texts`` and ``opening`` ask it.

A source says literals, one of which each of its events has, and perhaps a pattern. All literals are
looked for at once (Aho-Corasick, by Polars), and a pattern is tried only where its literal stands:
the time does not grow with the number of sources.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from escudo.sources.format_detection import detect_encoding
from escudo.sources.formats.bytesviews import Positions
from escudo.sources.formats.text import repair_utf8
from escudo.sources.lines.spans import Flags
from escudo.sources.lines.text_form import TextForm

_HEAD_LINES = 400
"""Lines of a stream's beginning that are looked at, at most."""
_TIME = re.compile(
    r"\d{4}[-/.]\d\d[-/.]\d\d[T ]\d\d:\d\d|[A-Z][a-z]{2} [ \d]\d (?:\d{4} )?\d\d:\d\d:\d\d"
    r"|\d\d/(?:\d\d|[A-Z][a-z]{2})/\d{2,4}[: ,]\d\d:\d\d"
)
_PAIR = re.compile(r'(?:^|[\s,;|\[(])[A-Za-z_][\w.-]*=(?:"[^"]*"|[^\s,;|]+)')
_MOST = 0.6
"""The part of the lines that must have a time or two pairs for a text to be a log of any kind."""


_CONTROL = bytes({*range(1, 9), 11, 12, *range(14, 27), *range(28, 32), 127})
_CONTROL_SHARE = 20
"""One such byte in so many, beside NUL bytes, is no text (programs have one in five or six)."""


class TextSource(Protocol):
    """What is known of a source here; ``Family`` is one."""

    @property
    def name(self) -> str: ...
    @property
    def sourcetype(self) -> str: ...
    @property
    def text(self) -> TextForm | None: ...


@dataclass(frozen=True)
class Recogniser:
    """The sources whose events are text, in the order in which they are tried."""

    sources: tuple[TextSource, ...]

    @classmethod
    def of(cls, sources: Iterable[TextSource]) -> Recogniser:
        return cls(tuple(s for s in sources if s.text is not None))

    def find_each(self, texts: pa.Array) -> Positions:
        """The number of the source of each text; -1 where none takes it."""
        found = np.full(len(texts), -1, dtype=np.int64)
        if not self._literals or not len(texts):
            return found
        pl = import_module("polars")
        column = pl.Series("t", pl.from_arrow(texts), dtype=pl.String)
        hits = column.str.extract_many(list(self._literals), overlapping=True).to_frame()
        flat = hits.with_row_index("row").explode("t").drop_nulls().unique()
        words = flat["t"].to_arrow().cast(pa.string()).dictionary_encode()
        rows, codes = flat["row"].to_numpy(), words.indices.to_numpy()
        met: dict[int, list[int]] = {}
        for code, word in enumerate(words.dictionary.to_pylist()):
            for number in self._literals[word]:
                met.setdefault(number, []).append(code)
        for number in sorted(met):
            form = self.sources[number].text
            assert form is not None
            candidates = np.unique(rows[np.isin(codes, met[number])])
            candidates = candidates[found[candidates] < 0]
            if len(candidates) and form.pattern is not None:
                some = pc.match_substring_regex(texts.take(pa.array(candidates)), form.pattern)
                candidates = candidates[pc.fill_null(some, False).to_numpy(zero_copy_only=False)]
            found[candidates] = number
        return found

    @cached_property
    def _literals(self) -> Mapping[str, Sequence[int]]:
        """The literals that are looked for, each with the numbers of the sources that have it."""
        literals: dict[str, list[int]] = {}
        for number, source in enumerate(self.sources):
            for word in source.text.contains if source.text is not None else ():
                literals.setdefault(word, []).append(number)
        return literals

    def judge(self, head: bytes, given: TextSource | None, *, known: bool, asked: bool) -> bool:
        """Whether a stream that begins with ``head`` is a log of lines.

        Args:
            given: the source that is said to be its own; one of text takes any.
            known: whether its format is known otherwise (CSV); then its first line must be an
                event of some source.
            asked: whether the user named it; then it may be a log of no known source.
        """
        encoding = detect_encoding(head)
        if encoding != "utf-8":
            head = head.decode(encoding, "replace").lstrip("\ufeff").encode()
        if _looks_binary(head[:1024]):
            return False
        head = head.replace(b"\0", b"")
        if given is not None and given.text is not None:
            return True
        if known:
            return self.find_first(head.lstrip().partition(b"\n")[0]) is not None
        return self.find_first(head) is not None or (asked and looks_like_log(head))

    def find_first(self, head: bytes) -> TextSource | None:
        """The source that most of the first lines are of."""
        lines = split_head(head)
        found = self.find_each(pa.array(lines, pa.string())) if lines else np.empty(0, np.int64)
        known = found[found >= 0]
        if len(known) and (first := self.sources[int(known[0])].text) and first.header is not None:
            return self.sources[int(known[0])]
        return self.sources[int(np.bincount(known).argmax())] if len(known) else None


def _looks_binary(head: bytes) -> bool:
    """Whether the first bytes are no text; a crash leaves blocks of NUL bytes in one.

    >>> _looks_binary(b"\\0" * 500 + b" May 27 09:28:36 web1 sshd[56]: Accepted")
    False
    >>> _looks_binary(b"MZ\\x90\\0\\x03\\0\\0\\0\\x04"), _looks_binary(b"\\0" * 1024)
    (True, True)
    """
    if b"\0" not in head:
        return False
    rest = head.replace(b"\0", b"")
    control = len(rest) - len(rest.translate(None, _CONTROL))
    return _CONTROL_SHARE * control >= len(rest)


def fits(texts: pa.Array, form: TextForm) -> Flags:
    """Which texts are events of a source, by what it says itself; all of one that says nothing."""
    fit = pa.repeat(pa.scalar(not form.contains), len(texts))
    for word in form.contains:
        if pc.all(fit).as_py():
            break
        fit = pc.or_(fit, pc.match_substring(texts, word))
    if form.pattern is not None:
        fit = pc.and_(fit, pc.match_substring_regex(texts, form.pattern))
    flags: Flags = pc.fill_null(fit, False).to_numpy(zero_copy_only=False)
    return flags


def split_head(head: bytes) -> Sequence[str]:
    """The first lines that are not blank; the last one may be cut."""
    text = repair_utf8(head).decode()
    return [line.rstrip("\r") for line in text.split("\n")[:_HEAD_LINES] if line.strip()]


def looks_like_log(head: bytes) -> bool:
    """Whether most of the first lines have a time or two name=value pairs.

    >>> looks_like_log(b"2024-05-01 10:20:30 up\\n"), looks_like_log(b"# A title\\n\\nSome words.")
    (True, False)
    """
    if b"\0" in head:
        return False
    lines = split_head(head)
    good = sum(
        1 for line in lines if _TIME.search(line[:200]) or len(_PAIR.findall(line[:4000])) > 1
    )
    return bool(lines) and good >= _MOST * len(lines)
