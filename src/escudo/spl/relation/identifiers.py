"""SPL names -> SQL identifiers that are unique in a search. Used by the binder."""

from __future__ import annotations

import re

_UNCLEAN = re.compile(r"[^A-Za-z0-9]")


class Names:
    """Allocates SQL identifiers, unique without regard to case.

    >>> names = Names()
    >>> names.fresh("firstTime"), names.fresh("FIRSTTIME"), names.fresh("a b.c")
    ('firstTime$1', 'FIRSTTIME$2', 'a_b_c$3')
    """

    def __init__(self) -> None:
        self._count = 0

    def fresh(self, name: str) -> str:
        self._count += 1
        return f"{_UNCLEAN.sub('_', name[:40])}${self._count}"
