"""Workers of a cluster that are calls in this process, for tests of what is read in parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from escudo.lake.part_ingest import identify_files


class Workers:
    """Parts one after the other; ``before`` is called with each, in its turn."""

    at_once = 2

    def __init__(self, before: Callable[[int], None] = lambda _number: None) -> None:
        self._before = before
        self.parts = self.rounds = 0

    def map(self, work: Callable[[bytes], bytes], parts: Sequence[bytes]) -> list[bytes]:
        if work is identify_files:
            return list(map(work, parts))
        self.rounds += 1
        results = []
        for part in parts:
            self._before(self.parts)
            self.parts += 1
            results.append(work(part))
        return results
