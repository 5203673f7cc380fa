"""The order of day and month in dates; options name one, readers of times ask for it."""

from __future__ import annotations

from enum import StrEnum


class DateOrder(StrEnum):
    """What comes first in a date like 03/05/2024: the day or the month."""

    DMY = "dmy"
    MDY = "mdy"
