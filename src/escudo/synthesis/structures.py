"""Demands on one field that holds several values, or a JSON document -> a text that meets them;
``texts`` calls it.

Demands on one value (the third, or what is at a path) are met apart from all others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from escudo.synthesis.demands import NULL, Demand, Kind, Step
from escudo.synthesis.values import ITEM_MARK, number_of
from escudo.synthesis.wire import nest

Make = Callable[[tuple[Demand, ...]], str | None]
"""Demands -> a text that meets them all; None if none was found."""

_FILLER = "x"
"""A value of which nothing is asked."""


def make_structure(demands: Sequence[Demand], make: Make) -> str | None:
    """A text of several values, or a document; None where no demand looks at one, or none was
    found."""
    firsts = [d.steps[0] for d in demands if d.steps]
    if any(step.name == "json" for step in firsts):
        return _make_document(demands, make)
    if any(_is_of_items(step) for step in firsts) or any(_is_size(d) for d in demands):
        return _make_list(demands, make)
    return None


def _is_of_items(step: Step) -> bool:
    return step.name in ("item", "each") and step.text == ITEM_MARK


def _is_size(demand: Demand) -> bool:
    return demand.check.kind is Kind.PARTS and demand.check.mark == ITEM_MARK


def _rest(demand: Demand) -> Demand:
    """The demand on what its first step leads to."""
    return replace(demand, steps=demand.steps[1:])


def _make_document(demands: Sequence[Demand], make: Make) -> str | None:
    """A JSON object with a text at each path."""
    asked: dict[str, list[Demand]] = {}
    for demand in demands:
        if demand.steps and demand.steps[0].name == "json":
            asked.setdefault(demand.steps[0].text, []).append(_rest(demand))
    made: dict[str, str] = {}
    for path, some in asked.items():
        if all(d.met_by(None) for d in some):
            continue
        text = make(tuple(some))
        if text is None:
            return None
        made[path] = text
    return nest({path: text for path, text in made.items() if path}) if made else None


def _make_list(demands: Sequence[Demand], make: Make) -> str | None:
    """Values with marks between them: those that are asked for by their place, then one for each
    demand that any may meet."""
    placed: dict[int, list[Demand]] = {}
    every: list[Demand] = []
    some: list[Demand] = []
    for demand in demands:
        step = demand.steps[0] if demand.steps else None
        if step is None or not _is_of_items(step):
            continue
        if step.name == "item":
            placed.setdefault(step.number, []).append(_rest(demand))
        elif demand.check is NULL:
            some += [] if demand.wanted else [_rest(demand)]
        else:
            (some if demand.wanted else every).append(_rest(demand))
    absent = {n for n, of_item in placed.items() if any(_asks_null(d) for d in of_item)}
    held = {n: of_item for n, of_item in placed.items() if n not in absent}
    front = max((n for n in held if n >= 0), default=-1) + 1
    back = -min((n for n in held if n < 0), default=0)
    fill = make(tuple(every)) or _FILLER if every else _FILLER
    items: dict[int, str] = {}
    for number, of_item in held.items():
        text = make((*of_item, *every))
        if text is None:
            return None
        items[number] = text
    more: list[str] = []
    for demand in some:
        if any(demand.met_by(text) for text in (*items.values(), *more)):
            continue
        text = make((demand, *every))
        if text is None:
            return None
        more.append(text)
    begin = [items.get(n, fill) for n in range(front)]
    end = [items.get(n, fill) for n in range(-back, 0)]
    whole = [*begin, *more, *end]
    wanted = _find_size(demands, len(whole))
    middle = [fill] * max(wanted - len(whole), 0)
    return ITEM_MARK.join([*begin, *more, *middle, *end] or [fill])


def _asks_null(demand: Demand) -> bool:
    return demand.check is NULL and demand.wanted and not demand.steps


def _find_size(demands: Iterable[Demand], least: int) -> int:
    """How many values there have to be, as near to ``least`` as demands on their number let it."""
    sizes = [d for d in demands if _is_size(d)]
    bounds = [int(number_of(d.check.text) or 0) for d in sizes]
    tried = sorted({least, *bounds, *(b + 1 for b in bounds), *(max(b - 1, 1) for b in bounds)})
    for size in (n for n in tried if n >= max(least, 1)):
        text = ITEM_MARK.join([_FILLER] * size)
        if all(replace(d, steps=()).met_by(text) for d in sizes):
            return size
    return least
