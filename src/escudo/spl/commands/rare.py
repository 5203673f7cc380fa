"""``rare``: the least frequent values (Search Reference: rare)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from escudo.spl.commands.top import Top


@dataclass(frozen=True)
class Rare(Top):
    """``rare [n] [options] fields [BY fields]``.

    The options are those of ``top``.
    """

    name: ClassVar[str] = "rare"
    most_first: ClassVar[bool] = False
