"""The name of a macro or lookup -> the Splunk app that brings it, where that is not the content.

The list is contentctl's (``MACROS_TO_IGNORE``, ``LOOKUPS_TO_IGNORE`` of 5.6.2), and the macros of
other apps that Escudo has definitions of, with the apps as Splunk's manuals name them.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_TABLE = Path(__file__).parent / "other_apps.csv"


def find_owner(kind: str, name: str) -> str | None:
    """The app that a macro or a lookup comes with; None where no app is known for it.

    >>> find_owner("macro", "get_asset"), find_owner("lookup", "get_asset")
    ('SA-IdentityManagement (Enterprise Security)', None)
    """
    return _read_table().get((kind, name))


@cache
def _read_table() -> Mapping[tuple[str, str], str]:
    with _TABLE.open(encoding="utf-8", newline="") as stream:
        return {(row["kind"], row["name"]): row["app"] for row in csv.DictReader(stream)}
