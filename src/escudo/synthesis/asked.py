"""What a search asks of events: ``walk`` finds it, ``scenario`` and ``populations`` read it."""

from __future__ import annotations

from dataclasses import dataclass, field

from escudo.spl import Call, EvalExpr, FieldRef
from escudo.synthesis.conditions import Condition, expressions_in
from escudo.synthesis.kinds import EventKind


@dataclass(frozen=True)
class Stream:
    """The events that a search, or a subsearch of it, begins with; ``raw``: no data model."""

    role: int
    model: str | None = None
    dataset: str | None = None

    @property
    def raw(self) -> bool:
        return self.model is None


@dataclass(frozen=True)
class Asked:
    """A condition, and the command that asks for it; ``role`` of the events that it is asked of, as
    far as a filter before all others goes."""

    condition: Condition
    text: str
    optional: bool = False
    """Whether breaking it says nothing: rows may come another way."""
    role: int = 0


@dataclass(frozen=True)
class Statistic:
    """A statistic of a search: its function, and what it is of, over the fields of events."""

    function: str
    argument: EvalExpr | None
    output: str


@dataclass(frozen=True)
class Grouping:
    """Rows that are made of several: by which fields, of which command, how wide in time
    (seconds, where time is one of the keys)."""

    command: str
    by: tuple[tuple[str, EvalExpr], ...]
    terms: tuple[Statistic, ...]
    bucket: float | None = None


@dataclass(frozen=True)
class Collected:
    """A collection that a search looks its rows up in: its keys, over the fields of events, and
    what it takes of the row. There is a field for each of these, as if events had it."""

    table: str
    keys: tuple[tuple[str, EvalExpr], ...]
    outputs: tuple[tuple[str, FieldRef], ...]


@dataclass
class Walk:
    """What a search asks of events: a stream for each role, and conditions over all of them."""

    streams: list[Stream] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    of_events: int | None = None
    """How many conditions are asked before rows are made of several events; None: never."""
    present: list[Condition] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    """Commands and functions that are not understood; what comes after them is a guess."""
    open_terms: list[Statistic] = field(default_factory=list)
    groupings: list[Grouping] = field(default_factory=list)
    sequence: list[Condition] = field(default_factory=list)
    """What the first and the last event of a transaction must be."""
    collected: list[Collected] = field(default_factory=list)
    kinds: dict[int, EventKind] = field(default_factory=dict)

    @property
    def asks_when(self) -> bool:
        """Whether a condition is about the time of day or of the week."""
        return any(
            isinstance(node, Call) and node.name == "strftime"
            for condition in self.conditions
            for expr in expressions_in(condition)
            for node in expr.walk()
        )

    @property
    def conditions(self) -> list[Condition]:
        return [*(a.condition for a in self.asked), *self.present]
