"""Dead letters, sinks -> those that are taken now, and those that stay; called by ``escudo sinks
retry``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from escudo.core.errors import EscudoError
from escudo.sinks import Sink
from escudo.sinks.dead_letters import DeadLetter, DeadLetters
from escudo.sinks.dispatch import send_safely


@dataclass(frozen=True, slots=True)
class Redelivery:
    """How many letters were taken, were refused again, or are for a sink that was not given."""

    sent: int
    failed: int
    left: int
    reasons: tuple[str, ...]


def redeliver(path: Path, sinks: Sequence[Sink]) -> Redelivery:
    """Sends the dead letters of a file to their sinks, by the names of these; what is not taken
    stays in the file.

    Raises:
        EscudoError: SNK007 for a file that has none.
    """
    if not path.is_file():
        raise EscudoError("SNK007", f"{path} is not there")
    by_name = {sink.name: sink for sink in sinks}
    sent = failed = 0
    reasons: dict[str, None] = {}
    with DeadLetters(path).take() as (letters, left):
        for name in dict.fromkeys(letter.sink for letter in letters):
            mine = [letter for letter in letters if letter.sink == name]
            if name not in by_name:
                left += mine
                continue
            delivery, _ = send_safely(by_name[name], [letter.finding for letter in mine])
            again = _find_failed(
                mine, {id(x): f.reason for f in delivery.failures for x in f.findings}
            )
            sent += delivery.sent
            failed += len(again)
            left += again
            reasons.update((f"{name}: {letter.reason}", None) for letter in again)
        others = sum(letter.sink not in by_name for letter in letters)
    return Redelivery(sent, failed, others, tuple(reasons))


def _find_failed(letters: Sequence[DeadLetter], failed: dict[int, str]) -> list[DeadLetter]:
    """The letters that were not taken, with why that is now."""
    return [
        replace(letter, reason=failed[id(letter.finding)])
        for letter in letters
        if id(letter.finding) in failed
    ]
