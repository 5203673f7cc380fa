"""What a field of an event must be: the solver collects demands, ``texts`` makes a text of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from escudo.spl import translate
from escudo.synthesis.functions import (
    UnknownValueError,
    compile_pattern,
    find_entropy,
    find_in_json,
)
from escudo.synthesis.values import (
    Value,
    compare,
    is_in_network,
    like_regex,
    texts_of,
    wildcard_regex,
)


class Kind(StrEnum):
    """How a demand looks at a text."""

    WILD = "wild"
    REGEX = "regex"
    LIKE = "like"
    ORDER = "order"
    LENGTH = "length"
    PARTS = "parts"
    NULL = "null"
    CIDR = "cidr"


@dataclass(frozen=True)
class Step:
    """A part of a value that a demand is about: what of the text it looks at.

    ``tail``: what follows the last of some characters; ``item``: a part of the text between
    separators (``number`` may count from the end), ``each``: all of these; ``json``: what is at a
    path of a document; ``capture``: a named group of a pattern; ``lower``, ``upper``: the text in
    that case; ``entropy``: how scattered its characters are.
    """

    name: str
    text: str = ""
    number: int = 0
    group: str = ""

    def apply(self, text: str) -> str | list[str] | None:
        match self.name:
            case "each":
                return text.split(self.text)
            case "json":
                return find_in_json(text, self.text)
            case "tail":
                cut = max(text.rfind(c) for c in self.text)
                return text[cut + 1 :]
            case "item":
                items = text.split(self.text)
                within = -len(items) <= self.number < len(items)
                return items[self.number] if within else None
            case "capture":
                found = compile_pattern(self.text).search(text)
                return None if found is None else found[translate(self.text).names()[self.group]]
            case "lower":
                return text.lower()
            case "upper":
                return text.upper()
            case "entropy":
                return str(find_entropy(text))
        raise ValueError(f"no step {self.name!r}")


@dataclass(frozen=True)
class Check:
    """A test of a value. ``text`` is the pattern; ``op`` compares a number, a length or a count of
    parts with ``text``; ``mark`` is what stands between parts."""

    kind: Kind
    text: str = ""
    op: str = "="
    case: bool = False
    mark: str = ""

    def holds(self, value: Value) -> bool:
        """Whether a value passes; null passes only the check for null."""
        if self.kind is Kind.NULL:
            return value is None
        return any(self._text_holds(text) for text in texts_of(value))

    def _text_holds(self, text: str) -> bool:
        match self.kind:
            case Kind.WILD:
                return wildcard_regex(self.text, case=self.case).fullmatch(text) is not None
            case Kind.REGEX:
                return compile_pattern(self.text).search(text) is not None
            case Kind.LIKE:
                return like_regex(self.text).fullmatch(text) is not None
            case Kind.ORDER:
                return compare(self.op, text, self.text) is True
            case Kind.LENGTH:
                return compare(self.op, str(len(text)), self.text) is True
            case Kind.PARTS:
                return compare(self.op, str(len(text.split(self.mark))), self.text) is True
            case Kind.CIDR:
                return is_in_network(text, self.text)
        return False


NULL = Check(Kind.NULL)


def exact(text: str) -> Check:
    """The check for one text, with regard to case; a ``*`` in it is no wildcard."""
    if "*" in text:
        return Check(Kind.REGEX, f"(?s)^{re.escape(text)}$")
    return Check(Kind.WILD, text, case=True)


@dataclass(frozen=True)
class Demand:
    """A check that a field of an event must pass, or must not (``wanted``).

    A demand that must not hold is met by null, too, unless another asks for a value.
    """

    field: str
    check: Check
    wanted: bool = True
    steps: tuple[Step, ...] = ()

    def met_by(self, value: str | None) -> bool:
        """Whether a text (or null) is as demanded."""
        read: str | list[str] | None = value
        try:
            for step in self.steps:
                read = _apply(step, read)
            return self.check.holds(read) == self.wanted
        except UnknownValueError:
            return True


def _apply(step: Step, read: str | list[str] | None) -> str | list[str] | None:
    """What a step makes of a text, or of each of several."""
    if not isinstance(read, list):
        return None if read is None else step.apply(read)
    out = [text for item in read for text in texts_of(step.apply(item))]
    return out or None
