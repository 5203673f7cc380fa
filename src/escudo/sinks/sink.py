"""What every sink does: takes findings, says which of them it could not hand over; ``dispatch``
and the sinks build on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

Finding: TypeAlias = Mapping[str, Any]
"""A finding as ``--format jsonl`` prints it, with plain values: ``detection``, ``_time``,
``severity``, ``host``, ``user``, ``message``, ``row``, ..., and ``finding_id``, which is the same
whenever the same row is found."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Findings that could not be handed over, and why."""

    findings: tuple[Finding, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of some findings: how many were taken, and those that were not.

    >>> Delivery(2).complete
    True
    """

    sent: int
    failures: tuple[Failure, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether all were taken."""
        return not self.failures

    @property
    def failed(self) -> int:
        """How many were not taken."""
        return sum(len(f.findings) for f in self.failures)


class Sink(Protocol):
    """Somewhere findings go. ``name`` has no password in it: it is shown and logged."""

    @property
    def name(self) -> str: ...

    def send(self, findings: Sequence[Finding]) -> Delivery:
        """Hands findings over, in their order; raises nothing for what is wrong there."""
        ...

    def close(self) -> None:
        """Lets go of files and connections."""
        ...
