"""Hosts and sequence numbers -> process ids of the Falcon sensor; ``generate`` and FDR."""

from __future__ import annotations

from typing import TypeVar

from escudo.generate.columns import Ints

Number = TypeVar("Number", int, Ints)


def target_process_id(sequence: Number) -> Number:
    """The sensor's id of a process, unique on its host: large, and rising with time.

    >>> target_process_id(2)
    4295131198
    """
    return 4_295_000_000 + sequence * 65_599
