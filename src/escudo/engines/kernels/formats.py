"""Numbers, addresses and texts -> the same in other clothes; kernels."""

from __future__ import annotations

import hashlib
import ipaddress
import math
import re
from urllib.parse import unquote_to_bytes

from escudo.core.errors import EscudoError
from escudo.engines.kernels.kernel import BOOLEAN, INTEGER, LIST, NUMBER, TEXT, Kernel
from escudo.spl import is_numeric_text

WIDEST = 10_000
"""Characters that a width or precision of ``printf`` may ask for; more is ENG008."""
_DIRECTIVE = re.compile(
    r"%(?:%|(?P<flags>[-+ #0']*)(?P<width>\*|\d+)?(?:\.(?P<precision>\*|-?\d*))?"
    r"(?:ll|l|h)?(?P<letter>[a-zA-Z]))"
)


def cidr_match(network: str, address: str) -> bool:
    """Whether an address lies in a network; text that is neither matches nothing.

    >>> cidr_match("2001:db8::/32", "2001:db8::1"), cidr_match("10.0.0.0/8", "host")
    (True, False)
    """
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def parse_base(text: str, base: int) -> float | None:
    """Text as a number to a base from 2 to 36.

    >>> parse_base("0x1A", 16), parse_base("0A4", 16), parse_base("z", 16)
    (26.0, 164.0, None)
    """
    if not 2 <= base <= 36 or not text or text != text.strip() or "_" in text:
        return None
    if base == 10:
        return float(text) if is_numeric_text(text) else None
    try:
        return float(int(text, base))
    except (ValueError, OverflowError):
        return None


def printf(wanted: str, values: list[str]) -> str | None:
    """C's printf over SPL values; missing arguments are empty text or 0.

    >>> printf("%-5s|%05.1f|%x|%'d", ["ab", "3.14159", "255", "1234567"])
    'ab   |003.1|ff|1,234,567'
    """
    queue = list(values)

    def take() -> str:
        return queue.pop(0) if queue else ""

    def write(m: re.Match[str]) -> str:
        if m[0] == "%%":
            return "%"
        flags, width, precision = m["flags"], m["width"], m["precision"]
        if width == "*":
            width = str(_integer(take()))
            if width.startswith("-"):
                flags, width = f"{flags}-", width[1:]
        if precision == "*":
            precision = str(_integer(take()))
        for size in (width, precision):
            if size and size.lstrip("-").isdigit() and int(size) > WIDEST:
                raise EscudoError("ENG008", f"printf: {size} is wider than {WIDEST:,}")
        return _directive(m["letter"], flags, width, precision, take())

    return _DIRECTIVE.sub(write, wanted)


def _number(text: str) -> float:
    return float(text) if is_numeric_text(text) else 0.0


def _integer(text: str) -> int:
    return int(_number(text))


def _directive(
    letter: str, flags: str, width: str | None, precision: str | None, value: str
) -> str:
    digits = None if precision is None or precision.startswith("-") else int(precision or 0)
    grouping = "," if "'" in flags else ""
    plain = flags.replace("'", "")
    point = "" if digits is None else f".{digits}"
    size = width or ""
    if letter in "di":
        return _sized(f"%{plain}{size}{point}d", _integer(value), grouping, plain, size)
    if letter in "uoxX":
        return f"%{plain}{size}{point}{'d' if letter == 'u' else letter}" % abs(_integer(value))
    if letter == "p":
        return f"%{plain}{size}s" % f"0x{_integer(value):x}"
    if letter in "eEfFgG":
        return _sized(f"%{plain}{size}{point}{letter}", _number(value), grouping, plain, size)
    if letter in "aA":
        return _number(value).hex()
    if letter == "c":
        return f"%{plain.replace('0', '')}{size}s" % value[:1]
    return f"%{plain.replace('0', '')}{size}{point}s" % value


def _sized(template: str, value: float, grouping: str, flags: str, width: str) -> str:
    """The directive's text, its integer digits in groups of three where the flag says so."""
    text = template % value
    if not grouping:
        return text
    whole, dot, rest = text.strip().partition(".")
    sign = whole[:1] if whole[:1] in "+-" else ""
    grouped = f"{sign}{int(whole.lstrip('+-') or 0):,}{dot}{rest}"
    wide = int(width or 0)
    return grouped.ljust(wide) if "-" in flags else grouped.rjust(wide)


def sigfig(value: float) -> float:
    """A number at the significant figures it is known to; a plain double is known to all.

    >>> sigfig(1111.0)
    1111.0
    """
    if value == 0 or not math.isfinite(value):
        return value
    return float(f"{value:.15g}")


def urldecode(text: str) -> str:
    """Percent escapes resolved; a plus stays a plus.

    >>> urldecode("http%3A%2F%2Fa%2Bb")
    'http://a+b'
    """
    return unquote_to_bytes(text).decode("utf-8", "replace") if "%" in text else text


def sha512(text: str) -> str:
    return hashlib.sha512(text.encode()).hexdigest()


def commands(search: str) -> list[str] | None:
    """The names of the commands of a search, in order, each once a use.

    >>> commands("search foo | stats count | sort count")
    ['search', 'stats', 'sort']
    """
    out: list[str] = []
    for position, part in enumerate(_segments(search)):
        words = part.split(None, 1)
        if not words:
            continue
        first = words[0].lower()
        starts = re.fullmatch(r"[a-z_]\w*", first)
        bare = position == 0 and not search.lstrip().startswith("|")
        out.append(first if starts and (not bare or first == "search") else "search")
    return out or None


def _segments(search: str) -> list[str]:
    """A search split at its pipes outside quotes; a leading pipe opens the first one."""
    parts: list[str] = []
    current: list[str] = []
    quoted = escaped = False
    for char in search.strip().removeprefix("|"):
        if char == '"' and not escaped:
            quoted = not quoted
        escaped = char == "\\" and not escaped
        if char == "|" and not quoted:
            parts.append("".join(current))
            current = []
        else:
            current.append(char)
    return [*parts, "".join(current)]


FORMATS = (
    Kernel("spl_cidr_match", (TEXT, TEXT), BOOLEAN, cidr_match),
    Kernel("spl_parse_base", (TEXT, INTEGER), NUMBER, parse_base),
    Kernel("spl_printf", (TEXT, LIST), TEXT, printf),
    Kernel("spl_sigfig", (NUMBER,), NUMBER, sigfig),
    Kernel("spl_urldecode", (TEXT,), TEXT, urldecode),
    Kernel("spl_sha512", (TEXT,), TEXT, sha512),
    Kernel("spl_commands", (TEXT,), LIST, commands),
)
