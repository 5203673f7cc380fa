"""Work that other machines do, part by part: what an ingest asks of a cluster; engines have it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol


class Spread(Protocol):
    """Does work on other machines, whose Python has this package."""

    @property
    def at_once(self) -> int:
        """How many parts are worked on at the same time, about."""
        ...

    def map(self, work: Callable[[bytes], bytes], parts: Sequence[bytes]) -> list[bytes]:
        """What a function of a module, or a ``partial`` of one, gives for each part, in the order
        of the parts.

        A part whose worker dies is worked on again, maybe while the first one still runs: what it
        leaves must not count unless its result does.

        Raises:
            EscudoError: where a part fails again and again.
        """
        ...
