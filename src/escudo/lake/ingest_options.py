"""How logs are read into a lake; whoever asks for an ingest says it, and each way of reading them
takes it as one value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from escudo.lake.labels import NO_LABELS, Labels
from escudo.sources.date_order import DateOrder
from escudo.sources.inventory import Inventory
from escudo.sources.opening import UnpackLimits


@dataclass(frozen=True, kw_only=True, slots=True)
class IngestOptions:
    """How logs are read.

    Args:
        force: take in also what is in the lake already, once more.
        date_order: how dates like 03/05/2024 are read; without it they are no times.
        limits: what each file may unpack to.
        names: what else is known of the hosts and users that events name by ids.
        labels: what all events carry, whatever they say themselves.

    >>> IngestOptions(labels=Labels(host="web1")).force
    False
    """

    force: bool = False
    date_order: DateOrder | None = None
    limits: UnpackLimits | None = None
    names: Callable[[], Inventory] = Inventory
    labels: Labels = NO_LABELS


AS_USUAL = IngestOptions()
