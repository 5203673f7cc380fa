"""Lines with a syslog header, with or without its priority -> the header's parts and the rest.

``extraction`` calls it for sources that come by syslog. A file of a collector has the header as the
collector wrote it: RFC 5424 or RFC 3164, an octet count before it, a second header of the device
behind it. The forms are one expression each.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

_COUNT = r"^(?:\d{1,6} )?"
_ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?"
_OLD = r"[A-Z][a-z]{2} [ \d]\d (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d+)?"
_PROCESS = r"(?:(?P<process>[^\s\[\]:%,={}\"]{1,64})(?:\[(?P<pid>[^\]\s]{1,64})\])?:\s*)?"
_FORMS = (
    _COUNT + r"<(?P<pri>\d{1,3})>\d{1,2} (?P<time>\S+) (?P<host>\S+) (?P<process>\S+) (?P<pid>\S+)"
    r' (?P<msgid>\S+) (?:-|(?:\[(?:[^\]"\\]|"(?:[^"\\]|\\.)*")*\])+)'
    r"(?: (?:\x{FEFF})?(?P<message>(?s:.*)))?$",
    _COUNT + rf"(?:<(?P<pri>\d{{1,3}})>)?(?P<time>{_OLD}|{_ISO}):? (?P<host>[\w.:-]+)"
    rf"(?: (?P<inner>{_ISO}) (?P<device>[\w.:-]+))? +{_PROCESS}(?P<message>(?s:.*))$",
    _COUNT + r"<(?P<pri>\d{1,3})>(?P<message>(?s:.*))$",
)
_BEGINS = _COUNT + r"(?:<\d|[A-Z][a-z]{2} |\d{4}-\d\d-\d\dT)"
"""How a line of any of the forms begins: that none of a block does is told by one expression."""
_TEXT = pa.string()
_PARTS = ("pri", "time", "inner", "host", "device", "process", "pid", "msgid", "message")


@dataclass(frozen=True, slots=True)
class Envelope:
    """The parts of lines; ``times`` as they are written. A line without a header is its message."""

    times: pa.Array
    hosts: pa.Array
    fields: dict[str, pa.Array]
    messages: pa.Array


def open_envelopes(lines: pa.Array) -> Envelope:
    """The headers of lines, and what stands behind them.

    >>> read = open_envelopes(pa.array(["May 27 09:28:36 web1 sshd[56]: Accepted", "no header"]))
    >>> read.times.to_pylist(), read.hosts.to_pylist(), read.messages.to_pylist()
    (['May 27 09:28:36', None], ['web1', None], ['Accepted', 'no header'])
    >>> read.fields["process"].to_pylist()
    ['sshd', None]
    """
    if not pc.any(pc.match_substring_regex(lines, _BEGINS)).as_py():
        nothing = pa.nulls(len(lines), _TEXT)
        return Envelope(times=nothing, hosts=nothing, fields={}, messages=lines)
    parts: dict[str, pa.Array] = {}
    left = pa.repeat(pa.scalar(True), len(lines))
    for form in _FORMS:
        groups = pc.extract_regex(lines, form)
        fits = pc.and_(left, groups.is_valid())
        if not pc.any(fits).as_py():
            continue
        for field in groups.type:
            own = _filled(groups.field(field.name))
            if field.name in parts:
                parts[field.name] = pc.if_else(fits, own, parts[field.name])
            else:
                parts[field.name] = pc.if_else(fits, own, pa.scalar(None, _TEXT))
        left = pc.and_not(left, fits)
        if not pc.any(left).as_py():
            break
    nothing = pa.nulls(len(lines), _TEXT)
    known = {name: parts.get(name, nothing) for name in _PARTS}
    return Envelope(
        times=pc.coalesce(known["inner"], known["time"]),
        hosts=pc.coalesce(known["device"], known["host"]),
        fields={name: parts[name] for name in ("process", "pid", "msgid") if name in parts},
        messages=pc.if_else(left, lines, pc.fill_null(known["message"], "")),
    )


def _filled(values: pa.Array) -> pa.Array:
    empty = pc.or_(pc.equal(values, ""), pc.equal(values, "-"))
    return pc.if_else(empty, pa.scalar(None, _TEXT), values)
