"""Times and relative modifiers, or formats known only row by row -> times and texts; kernels."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from escudo.core.errors import EscudoError
from escudo.engines.kernels.kernel import NUMBER, TEXT, Kernel
from escudo.spl import Part, relative_time, split_format

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_PATTERNS = {
    "Y": r"(?P<Y>\d{4})",
    "y": r"(?P<y>\d{2})",
    "m": r"(?P<m>\d{1,2})",
    "d": r"\s?(?P<d>\d{1,2})",
    "H": r"\s?(?P<H>\d{1,2})",
    "I": r"\s?(?P<I>\d{1,2})",
    "M": r"(?P<M>\d{1,2})",
    "S": r"(?P<S>\d{1,2})",
    "p": r"(?P<p>[AaPp][Mm])",
    "j": r"(?P<j>\d{1,3})",
    "b": r"(?P<b>[A-Za-z]{3})",
    "B": r"(?P<b>[A-Za-z]{3,9})",
    "a": r"[A-Za-z]{3}",
    "A": r"[A-Za-z]{6,9}",
    "z": r"(?P<z>[+-]\d{2}:?\d{2}|Z)",
    "Z": r"(?P<Z>[A-Za-z]{1,5})",
    "w": r"\d",
    "u": r"\d",
    "U": r"\d{1,2}",
    "W": r"\d{1,2}",
    "V": r"\d{1,2}",
    "G": r"\d{4}",
}
_ZONES = {
    **dict.fromkeys(("UTC", "GMT", "Z"), 0),
    "EST": -5,
    "EDT": -4,
    "CST": -6,
    "CDT": -5,
    "MST": -7,
    "MDT": -6,
    "PST": -8,
    "PDT": -7,
    "CET": 1,
    "CEST": 2,
    "EET": 2,
    "EEST": 3,
    "BST": 1,
    "WET": 0,
    "WEST": 1,
}


def shift_time(base: float, modifier: str, zone: str = "UTC") -> float | None:
    """A time moved and snapped by a relative time modifier, by the days of a zone.

    >>> shift_time(1602155026.0, "-1d@d")
    1602028800.0
    """
    try:
        return relative_time(modifier, base, _find_zone(zone))
    except EscudoError:
        return None


@lru_cache(maxsize=256)
def _reader(text: str) -> re.Pattern[str]:
    return re.compile("".join(map(_pattern, split_format(text))) + r"\s*\Z")


def _pattern(part: Part) -> str:
    match part.kind:
        case "text":
            return r"\s+".join(map(re.escape, re.split(r"\s+", part.value)))
        case "common":
            return _PATTERNS[part.value]
        case "epoch":
            return r"(?P<s>-?\d+)"
        case "subseconds":
            return r"(?P<f>\d{1,9})"
        case "zone":
            return _PATTERNS["z"]
        case "day":
            return _PATTERNS["d"]
        case "hour12":
            return _PATTERNS["I"]
        case _:
            return _PATTERNS["H"]


def parse(value: str, text: str, zone: str = "UTC") -> float | None:
    """Text in a time format as epoch seconds; None where it does not have the format. ``zone`` is
    that of a text that names none.

    >>> parse("2020-10-08 11:03:46.617", "%F %T.%3N")
    1602155026.617
    """
    m = _reader(text).match(value)
    if m is None:
        return None
    texts = {k: v for k, v in m.groupdict().items() if v is not None}
    fraction = float(f"0.{texts['f']}") if "f" in texts else 0.0
    if "s" in texts:
        return int(texts["s"]) + fraction
    return _assembled(texts, fraction, _find_zone(zone))


def _assembled(texts: dict[str, str], fraction: float, zone: tzinfo) -> float | None:
    year = int(texts.get("Y") or _century(texts.get("y", "70")))
    month = int(texts.get("m") or _MONTHS.get(texts.get("b", "jan")[:3].lower(), 0))
    hour = int(texts.get("H") or texts.get("I") or 0)
    if "p" in texts:
        hour = hour % 12 + (12 if texts["p"].lower() == "pm" else 0)
    try:
        at = datetime(
            year,
            month,
            int(texts.get("d", 1)),
            hour,
            int(texts.get("M", 0)),
            int(texts.get("S", 0)),
            tzinfo=UTC if texts.keys() & {"z", "Z"} else zone,
        )
    except ValueError:
        return None
    if "j" in texts:
        at = at.replace(month=1, day=1) + timedelta(days=int(texts["j"]) - 1)
    return at.timestamp() + fraction - _offset(texts)


def _century(two: str) -> str:
    return f"{'20' if int(two) < 69 else '19'}{two}"


def _offset(texts: dict[str, str]) -> float:
    """Seconds east of UTC."""
    if (zone := texts.get("z")) and zone != "Z":
        sign = -1 if zone[0] == "-" else 1
        return sign * (int(zone[1:3]) * 3600 + int(zone[-2:]) * 60)
    return _ZONES.get(texts.get("Z", "UTC").upper(), 0) * 3600.0


def write(seconds: float, text: str, zone: str = "UTC") -> str | None:
    """A time as text in a format of Splunk's variables, by the clock of a zone.

    >>> write(1602155026.617, "%F %T.%3N %z")
    '2020-10-08 11:03:46.617 +0000'
    """
    try:
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=round(seconds * 1_000_000))
        at = at.astimezone(_find_zone(zone))
    except OverflowError:
        return None
    return "".join(_written(part, at, seconds) for part in split_format(text))


def _written(part: Part, at: datetime, seconds: float) -> str:
    match part.kind:
        case "text":
            return part.value
        case "common":
            return at.strftime(f"%{part.value}")
        case "epoch":
            return str(int(seconds // 1))
        case "subseconds":
            return f"{at.microsecond:06d}000"[: part.digits]
        case "zone":
            offset = at.strftime("%z")
            colons = f"{offset[:3]}:{offset[3:5]}"
            return colons if len(part.value) == 1 else f"{colons}:00"
        case "day":
            return f"{at.day:2d}"
        case "hour12":
            return f"{(at.hour - 1) % 12 + 1:2d}"
        case _:
            return f"{at.hour:2d}"


@lru_cache(maxsize=64)
def _find_zone(name: str) -> tzinfo:
    return UTC if name == "UTC" else ZoneInfo(name)


TIMES = (
    Kernel("spl_relative_time_in", (NUMBER, TEXT, TEXT), NUMBER, shift_time),
    Kernel("spl_strptime_in", (TEXT, TEXT, TEXT), NUMBER, parse),
    Kernel("spl_strftime_in", (NUMBER, TEXT, TEXT), TEXT, write),
    Kernel("spl_relative_time", (NUMBER, TEXT), NUMBER, shift_time),
    Kernel("spl_strptime_any", (TEXT, TEXT), NUMBER, parse),
    Kernel("spl_strftime_any", (NUMBER, TEXT), TEXT, write),
)
