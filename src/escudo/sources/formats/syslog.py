"""Messages of syslog, one a text -> their fields in columns; what receives syslog calls it.

RFC 5424 (``<34>1 2003-10-11T22:14:15.003Z host app procid msgid [sd] text``) and RFC 3164
(``<34>Oct 11 22:14:15 host tag[pid]: text``, also with an ISO time, as rsyslog forwards). No
package for Python parses a column at once (2026-11: those of PyPI read one message at a time, by a
grammar or in a loop), and the two forms are one expression each.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from escudo.sources.times import TIME, parse_times

FACILITIES = (
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4",
    "local5", "local6", "local7",
)  # fmt: skip
"""RFC 5424, table 1, by the names that syslog.conf has for them."""
SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
"""RFC 5424, table 2."""

_NEW = (
    r"(?s)^<(?P<pri>\d{1,3})>(?P<version>\d{1,2}) (?P<time>\S+) (?P<host>\S+) (?P<process>\S+)"
    r" (?P<pid>\S+) (?P<msgid>\S+)"
    r' (?P<structured>-|(?:\[(?:[^\]"\\]|"(?:[^"\\]|\\.)*")*\])+)'
    r"(?: (?:\x{FEFF})?(?P<message>.*))?$"
)
_OLD = (
    r"(?s)^<(?P<pri>\d{1,3})>(?P<time>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S+)"
    r" (?P<host>\S+)(?: (?P<process>[^\s\[:]{1,48})(?:\[(?P<pid>[^\]\s]{1,128})\])?:)?"
    r"(?: ?(?P<message>.*))?$"
)
_BARE = r"(?s)^<(?P<pri>\d{1,3})>(?P<message>.*)$"

_GROUPS = ("pri", "time", "host", "process", "pid", "msgid", "structured", "message")
_TEXT = pa.string()


@dataclass(frozen=True, slots=True)
class SyslogColumns:
    """Messages in columns: ``times`` and ``hosts`` of the header, null where it has none;
    ``fields`` by name; ``messages``, the text without its header. Times of RFC 3164, which name no
    zone, are taken as UTC."""

    times: pa.Array
    hosts: pa.Array
    fields: dict[str, pa.Array]
    messages: pa.Array


def read_syslog(texts: pa.Array, now: float) -> SyslogColumns:
    """The columns of messages.

    Args:
        texts: a message each, without the frame of its transport.
        now: when they came (epoch seconds): RFC 3164 leaves the year out; it is the one that brings
            the message next to this time, from behind or at most a day ahead.

    >>> read = read_syslog(pa.array(["<34>1 2003-10-11T22:14:15.003Z web su - ID47 - failed"]), 0)
    >>> read.hosts.to_pylist(), read.fields["facility"].to_pylist(), read.messages.to_pylist()
    (['web'], ['auth'], ['failed'])
    """
    found = {name: pa.nulls(len(texts), _TEXT) for name in _GROUPS}
    left = pa.repeat(pa.scalar(True), len(texts))
    for pattern in (_NEW, _OLD, _BARE):
        groups = pc.extract_regex(texts, pattern)
        fits = pc.and_(left, groups.is_valid())
        for name in [f.name for f in groups.type if f.name in found]:
            found[name] = pc.if_else(fits, groups.field(name), found[name])
        left = pc.and_not(left, fits)
    values = {name: _without_nil(column) for name, column in found.items()}
    number = pc.cast(values["pri"], pa.int32())
    number = pc.if_else(pc.less(number, 8 * len(FACILITIES)), number, pa.scalar(None, pa.int32()))
    facility = pc.divide(number, 8)
    severity = pc.subtract(number, pc.multiply(facility, 8))
    fields = {
        "facility": pa.array(FACILITIES).take(facility),
        "severity": pa.array(SEVERITIES).take(severity),
        "process": values["process"],
        "pid": values["pid"],
        "msgid": values["msgid"],
        "structured_data": values["structured"],
    }
    return SyslogColumns(
        _read_times(values["time"], now),
        values["host"],
        {name: column for name, column in fields.items() if column.null_count < len(column)},
        pc.if_else(left, texts, pc.fill_null(found["message"], "")),
    )


def _without_nil(column: pa.Array) -> pa.Array:
    nothing = pc.or_(pc.equal(column, ""), pc.equal(column, "-"))
    return pc.if_else(nothing, pa.scalar(None, _TEXT), column)


def _read_times(texts: pa.Array, now: float) -> pa.Array:
    yearless = pc.match_substring_regex(texts, "^[A-Z]")
    if not pc.any(yearless).as_py():
        return parse_times(texts)
    nothing = pa.scalar(None, _TEXT)
    full = parse_times(pc.if_else(yearless, nothing, texts))
    latest = datetime.datetime.fromtimestamp(now, datetime.UTC) + datetime.timedelta(days=1)
    spaced = pc.replace_substring(pc.if_else(yearless, texts, nothing), "  ", " 0")
    this, last = (_with_year(spaced, latest.year - back) for back in (0, 1))
    ahead = pc.fill_null(pc.greater(this, pa.scalar(latest, TIME)), True)
    return pc.coalesce(full, pc.if_else(ahead, last, this))


def _with_year(texts: pa.Array, year: int) -> pa.Array:
    dated = pc.binary_join_element_wise(pa.scalar(str(year)), texts, pa.scalar(" "))
    read = pc.strptime(dated, format="%Y %b %d %H:%M:%S", unit="us", error_is_null=True)
    return pc.assume_timezone(read, "UTC")
