"""Demands on one field -> a text that meets all of them; the solver calls it.

The pieces that the demands ask for are put together: what must begin the text, what must be
somewhere in it, what must end it. Every text is checked before it is given.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, product

from escudo.synthesis.demands import Check, Demand, Kind, Step
from escudo.synthesis.examples import is_anchored, make_examples
from escudo.synthesis.structures import make_structure

_BETWEEN = (" ", "", "x", "\\", " x ", "/", "a.", ".", "_", "1")
"""What is tried between pieces, the most natural first."""
_OTHERS = ("synthetic", "a", "1", "0", "C:\\Temp\\sample.exe", "x" * 20, "-", "10.9.8.7")
"""Texts that are tried where demands only exclude."""
_ANY = ("a", "1")
"""Parts of a text of which only is asked that they are there."""
_SCATTERED = "q7Zx9KpLw2VtRm4Yd8Hb"
"""A text of much entropy: 4.3 bits a character."""
_OF_VALUES = frozenset({Kind.WILD, Kind.REGEX, Kind.LIKE})
"""Checks that only a value passes: an empty field is none."""
_MOST = 400
"""Texts that are tried for a field."""


@dataclass(frozen=True)
class _Piece:
    """Parts of a text in their order, and whether the first begins it and the last ends it."""

    parts: tuple[str, ...]
    begins: bool
    ends: bool


@lru_cache(maxsize=20_000)
def make_text(demands: tuple[Demand, ...], default: str | None, prefer: str | None) -> str | None:
    """A text that meets all demands on a field; None if none was found.

    ``prefer`` (of the events that a near-miss is like) and ``default`` are taken where they fit.

    >>> wild = lambda text: Demand("a", Check(Kind.WILD, text))
    >>> make_text((wild("*delete*"), wild("*shadow*"), wild("vssadmin*")), None, None)
    'vssadmin delete shadow'
    """
    some = any(_wants_value(d) for d in demands)
    for text in islice(_candidates(demands, default, prefer), _MOST):
        if (text or not some) and all(d.met_by(text) for d in demands):
            return text
    return None


def _wants_value(demand: Demand) -> bool:
    """Whether no empty text will do, which is no value in an event."""
    check = demand.check
    return demand.wanted and not demand.steps and check.kind in _OF_VALUES and check.text != ""


def _make_part(demands: tuple[Demand, ...]) -> str | None:
    return make_text(demands, None, None)


def admits_null(demands: Iterable[Demand]) -> bool:
    """Whether a field without a value is as demanded."""
    return all(d.met_by(None) for d in demands)


def _candidates(
    demands: Sequence[Demand], default: str | None, prefer: str | None
) -> Iterator[str]:
    yield from (text for text in (prefer, default) if text is not None)
    structure = make_structure(demands, _make_part)
    if structure is not None:
        yield structure
        yield from _numbered(structure, sum(not d.wanted for d in demands))
    asked = [d for d in demands if d.wanted != (d.check.kind is Kind.NULL)]
    asked = [d for d in asked if d.steps or d.check.kind is not Kind.NULL]
    asked = [d for d in asked if not _follows(d, asked)]
    yield from _numbers(demands)
    if asked:
        choices = [list(_pieces(d)) for d in asked]
        if all(choices):
            for chosen in islice(product(*choices), 24):
                yield from _composed(chosen, default)
    known = [text for text in (prefer, default) if text is not None]
    taken = sum(not d.wanted and d.check.kind in (Kind.WILD, Kind.REGEX) for d in demands)
    for text in known if taken else ():
        yield from _numbered(text, taken)
    for text in known:
        yield from (f"{text}x", f"x{text}", f"{text}1", f"{text} x", text[1:], text[:-1])
    yield from _OTHERS


def _follows(demand: Demand, asked: Iterable[Demand]) -> bool:
    """Whether a demand for any value is met where another is, of the same part of the text."""
    if demand.check.kind is not Kind.NULL:
        return False
    others = (d for d in asked if d.check.kind is not Kind.NULL)
    return any(d.steps[: len(demand.steps)] == demand.steps for d in others)


def _numbered(text: str, number: int) -> Iterator[str]:
    """Texts like another one that have a number in them, for one of many events."""
    stem, dot, extension = text.rpartition(".")
    if dot and extension.isdigit():
        yield f"{stem}.{(int(extension) + number) % 250 + 1}"
    if text.isdigit():
        yield str(int(text) + number)
    if dot and "\\" not in extension:
        yield f"{stem}{number}.{extension}"
    yield from (f"{text}{number}", f"{text} {number}", f"{number}{text}")
    folder, slash, name = text.rpartition("\\")
    if slash:
        yield f"{folder}\\{number}\\{name}"


def _numbers(demands: Iterable[Demand]) -> Iterator[str]:
    """Numbers at the bounds that demands set, and texts of bounded lengths."""
    for demand in demands:
        check = demand.check
        if check.kind is Kind.ORDER:
            try:
                bound = float(check.text)
            except ValueError:
                yield from (check.text + "a", "", check.text[:-1])
                continue
            for number in (bound, bound + 1, bound - 1, 0.0, bound * 2, bound / 2):
                yield str(int(number)) if number.is_integer() else str(number)
        elif check.kind is Kind.CIDR:
            with suppress(ValueError):  # it is no network
                network = ipaddress.ip_network(check.text, strict=False)
                yield str(network[min(1, network.num_addresses - 1)])


def _pieces(demand: Demand) -> Iterator[_Piece]:
    """What a demand asks to be in the text; several ways, where there are."""
    check = demand.check
    match check.kind:
        case Kind.WILD:
            found: Iterable[_Piece] = [_split(check.text, "*")]
        case Kind.LIKE:
            found = [_split(check.text.replace("_", "x"), "%")]
        case Kind.REGEX:
            begins, ends = is_anchored(check.text)
            found = [_Piece((t,), begins, ends) for t in make_examples(check.text)]
        case Kind.LENGTH | Kind.PARTS:
            found = list(_sized(check))
        case Kind.ORDER | Kind.CIDR:
            found = [_Piece((t,), True, True) for t in _numbers([demand])]
        case Kind.NULL:
            found = [_Piece((t,), False, False) for t in _ANY]
    for step in reversed(demand.steps):
        found = [whole for piece in found for whole in _undo(step, piece)]
    yield from found
    if check.kind is Kind.NULL and demand.steps[0].name == "capture":
        yield from (_Piece((t,), False, False) for t in make_examples(demand.steps[0].text))


def _split(pattern: str, mark: str) -> _Piece:
    parts = pattern.split(mark)
    begins, ends = parts[0] != "", parts[-1] != ""
    return _Piece(tuple(p for p in parts if p), begins, ends)


def _sized(check: Check) -> Iterator[_Piece]:
    size = int(float(check.text))
    for number in (size, size + 1, *range(size - 1, max(size - 9, 0), -1), 0):
        if number >= 0 and check.kind is Kind.LENGTH:
            yield _Piece(("A" * number,), False, False)
        elif number >= 1:
            yield _Piece((check.mark.join(["a"] * number),), False, False)


def _undo(step: Step, piece: _Piece) -> Iterator[_Piece]:
    """The pieces of the whole text, for pieces of the part of it that a step looks at."""
    parts = piece.parts
    match step.name:
        case "lower" | "upper":
            yield piece
        case "entropy":
            yield _Piece((_SCATTERED,), False, False)
        case "tail":
            if piece.begins and parts:
                for before in step.text:
                    yield _Piece((before + parts[0], *parts[1:]), False, piece.ends)
                yield _Piece(parts, True, piece.ends)
            else:
                yield _Piece(parts, False, piece.ends)
        case "item" if step.number == -1:
            head = (step.text + parts[0], *parts[1:]) if piece.begins and parts else parts
            yield _Piece(head, False, piece.ends)
        case "item" if step.number == 0:
            last = (*parts[:-1], parts[-1] + step.text) if piece.ends and parts else parts
            yield _Piece(last, piece.begins, False)
            yield piece
        case "item":
            text = step.text.join([*(["x"] * max(step.number, 0)), "".join(parts), "x"])
            yield _Piece((text,), True, False)
        case "capture":
            inner = "".join(parts)
            begins, ends = is_anchored(step.text)
            for text in make_examples(step.text, {step.group: inner}):
                yield _Piece((text,), begins, ends)
        case "each" | "json":
            return  # ``structures`` makes these


def _composed(pieces: Sequence[_Piece], default: str | None) -> Iterator[str]:
    """Texts that have all pieces."""
    if not pieces:
        return
    firsts = [p.parts[0] for p in pieces if p.begins and p.parts]
    lasts = [p.parts[-1] for p in pieces if p.ends and p.parts]
    first, last = max(firsts, key=len, default=""), max(lasts, key=len, default="")
    whole = next((p.parts[0] for p in pieces if p.begins and p.ends and len(p.parts) == 1), None)
    if whole is not None:
        yield whole
    middles: list[str] = []
    for piece in pieces:
        inner = piece.parts[1 if piece.begins else 0 :]
        middles += inner[:-1] if piece.ends and inner else inner
    rest = [m for i, m in enumerate(middles) if not _covered(m, middles, i, first + last)]
    overlapped = _overlap(first, last)
    for between in _BETWEEN:
        for order in (rest, rest[::-1], middles):
            inside = between.join(order)
            if not order and overlapped is not None:
                yield overlapped
            lead = between if first and inside else ""
            trail = between if last and (inside or first) else ""
            yield f"{first}{lead}{inside}{trail}{last}"
            yield f"{first}{lead}{between}{inside}{between}{trail}{last}"
    if default is not None and not first:
        for between in _BETWEEN[:4]:
            yield f"{default}{between}{between.join(rest)}{between}{last}"


def _covered(part: str, parts: Sequence[str], number: int, edges: str) -> bool:
    """Whether a part is in another one, or at the edge, already."""
    lower = part.lower()
    if lower in edges.lower():
        return True
    return any(
        lower in other.lower() and (len(other) > len(part) or i < number)
        for i, other in enumerate(parts)
        if i != number
    )


def _overlap(first: str, last: str) -> str | None:
    """A text that begins with one and ends with the other, where they share a part."""
    for size in range(min(len(first), len(last)), 0, -1):
        if first[-size:].lower() == last[:size].lower():
            return first + last[size:]
    return first or last or None
