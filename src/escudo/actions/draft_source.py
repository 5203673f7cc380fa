"""A file of logs of no known source -> the draft of a YAML that reads it; called by
``escudo source new``.

What the file shows is measured (form, fields, times); what they mean is guessed by their names, and
marked as a guess. The draft loads as it is, and is to be completed by a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from escudo.core.errors import EscudoError
from escudo.sources.events import Events
from escudo.sources.format_detection import Format, detect_format
from escudo.sources.lines.clock_texts import parse_clock
from escudo.sources.lines.delimited import DelimitedRule, count_values
from escudo.sources.lines.envelope import open_envelopes
from escudo.sources.lines.extraction import extract, extract_columns
from escudo.sources.lines.framing import split_lines
from escudo.sources.lines.headers import HeaderReader, Rows
from escudo.sources.lines.pairs import PairRule, read_pairs
from escudo.sources.lines.text_form import Header, PairStep, Step, TextForm, ValueStep
from escudo.sources.times import parse_times

SAMPLE_BYTES = 4 << 20
"""Bytes of the file, from its start, that are looked at."""
_MOST = 0.9
"""The part of the lines that must be so for the file to be so."""
_FORMS = (
    "%d/%b/%Y:%H:%M:%S %z", "%Y/%m/%d %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S%.f",
    "%m-%d-%Y %H:%M:%S%.f", "%d.%m.%Y %H:%M:%S", "%m/%d/%y %H:%M:%S", "%b %d %Y %H:%M:%S",
    "%b %d %H:%M:%S", "%a %b %d %H:%M:%S %Y",
)  # fmt: skip
_SEPARATORS = (" \t", "\t", ";", "|", ", ")
_DELIMITERS = (",", "\t", "|", ";")
_MEANINGS: Mapping[str, str] = {
    "src": "src|source|src_?ip|source_?ip|sip|client_?ip|c_ip|clientip|remote_?(addr|ip)|srcip",
    "dest": "dst|dest|dest_?ip|dst_?ip|destination_?ip|dip|server_?ip|s_ip|dstip",
    "src_port": "spt|src_?port|sport|source_?port|c_port",
    "dest_port": "dpt|dst_?port|dport|dest_?port|destination_?port|s_port",
    "user": "user|username|user_?name|usr|account|login|suser|duser|cs_username",
    "action": "action|act|disposition|verdict|outcome|result",
    "bytes_in": "bytes_?in|rcvd(byte)?|received_?bytes|cs_bytes",
    "bytes_out": "bytes_?out|sent(byte)?|sent_?bytes|sc_bytes",
    "url": "url|uri|request_?uri|request",
    "http_method": "method|http_?method|request_?method|cs_method",
    "http_user_agent": "user_?agent|useragent|http_?user_?agent",
    "status": "status|status_?code|sc_status|http_?status",
    "transport": "proto|protocol|transport",
    "process": "command|cmd|command_?line|cmdline",
    "process_name": "process|process_?name|proc|exe|image",
    "dvc": "device|dvc|devname|host_?name|hostname",
    "signature": "signature|rule_?name|alert|event_?name|threat(name)?",
}
_MODELS: Sequence[tuple[str, frozenset[str]]] = (
    ("Web.Web", frozenset({"url", "status"})),
    ("Endpoint.Processes", frozenset({"process", "process_name"})),
    ("Network_Traffic.All_Traffic", frozenset({"src", "dest", "dest_port"})),
    ("Authentication.Authentication", frozenset({"user", "action", "src"})),
)
_PLAIN_NAME = re.compile(r"[A-Za-z_][\w.@-]*")
_WORD = re.compile(r"[A-Za-z_][\w.-]{3,}=?")


@dataclass(frozen=True, slots=True)
class FieldSeen:
    """A field of the file: its type, how many events have it (0 to 1), a value, and how it is a
    time: an empty text for a form that needs no words, None if it is none."""

    name: str
    type: str
    share: float
    example: str
    clock: str | None
    meaning: str | None


@dataclass(frozen=True, slots=True)
class Draft:
    """The YAML, and what was seen."""

    text: str
    form: str
    fields: tuple[FieldSeen, ...]
    events: int


def draft_source(data: bytes, *, name: str, latest: float) -> Draft:
    """A draft by the first bytes of a file.

    Args:
        data: the file's first bytes, about ``SAMPLE_BYTES``.
        name: the source's name: lower-case letters, digits, underscores.
        latest: epoch seconds; a time without a year is the last one before it.

    Raises:
        EscudoError: SRC056 for what is no text of lines.

    >>> lines = b"at=1700000000 src=10.0.0.1 dst=10.0.0.2 act=deny\\n" * 3
    >>> draft = draft_source(lines, name="gate", latest=0.0)
    >>> draft.form, [(f.name, f.type, f.meaning) for f in draft.fields][:2]
    ('key=value', [('at', 'number', None), ('src', 'ip', 'src')])
    """
    format_ = detect_format(data[:65536])
    if format_ not in (None, Format.CSV_EVENTS, Format.TEXT):
        hint = "its events have fields already: begin with `recognise`, `fields` and `datasets`"
        raise EscudoError("SRC056", f"a file in the format {format_} needs no `text`", hint=hint)
    if b"\0" in data[:4096]:
        raise EscudoError("SRC056", "it is no text")
    lines, _ = split_lines(data if data.endswith(b"\n") else data[: data.rfind(b"\n") + 1] or data)
    if not len(lines):
        raise EscudoError("SRC056", "it has no line")
    form, events = _find_form(lines, latest)
    fields = tuple(_describe(events, latest))
    text = _write(name, form, lines, fields=fields)
    return Draft(text, form.description, fields, len(events.raw))


def _find_form(lines: pa.Array, latest: float) -> tuple[TextForm, Events]:
    first = lines[0].as_py()
    for header, mark in ((Header.W3C, "#Fields:"), (Header.ZEEK, "#fields\t")):
        if pc.any(pc.match_substring(lines.slice(0, 50), mark)).as_py():
            return _read_header(lines, TextForm(header=header, contains=(mark,)), latest)
    if by := _find_header_row(lines):
        return _read_header(lines, TextForm(header=Header.ROW, by=by, contains=(first,)), latest)
    envelope = open_envelopes(lines)
    syslog = envelope.times.null_count <= (1 - _MOST) * len(lines)
    whole = envelope.messages if syslog else lines
    step = _find_pairs(whole) or _find_values(whole)
    form = TextForm(syslog=syslog, read=(step,) if step else (), contains=_find_literal(lines))
    return form, extract(lines, form, latest=latest)


def _read_header(lines: pa.Array, form: TextForm, latest: float) -> tuple[TextForm, Events]:
    """The form, and the events under the header that has most of them."""
    parts = [rows for rows in HeaderReader(form).read(lines) if isinstance(rows, Rows)]
    if not parts:
        raise EscudoError("SRC056", "it has a header, and no row")
    most = max(parts, key=lambda rows: len(rows.texts))
    return form, extract_columns(most.columns, form, raw=most.texts, latest=latest)


def _find_header_row(lines: pa.Array) -> str | None:
    """The delimiter of a first row that names the values of those behind it."""
    first = lines[0].as_py()
    for by in _DELIMITERS:
        names = [name.strip().strip('"') for name in first.split(by)]
        plain = len(names) > 2 and len(set(names)) == len(names)
        if plain and all(re.fullmatch(r"[A-Za-z][\w .()/-]*", name) for name in names):
            counts = count_values(lines, by, '"').to_numpy()
            if np.mean(counts == len(names)) >= _MOST:
                return by
    return None


def _find_pairs(whole: pa.Array) -> PairStep | None:
    """The separator of name=value by which texts have most pairs, two at least; of those that give
    as many, the one that leaves least of the text out of the values."""
    best: tuple[int, int, PairRule] | None = None
    for between in _SEPARATORS:
        rule = PairRule(between=between + "\r\n")
        columns = [column.values for column in read_pairs(whole, rule).values()]
        pairs = sum(len(whole) - values.null_count for values in columns)
        size = sum(pc.sum(pc.binary_length(values)).as_py() for values in columns)
        if pairs >= 2 * len(whole) and (best is None or (pairs, size) > best[:2]):
            best = (pairs, size, rule)
    return None if best is None else PairStep(best[2])


def _find_values(whole: pa.Array) -> ValueStep | None:
    for by in _DELIMITERS:
        counts = count_values(whole, by, '"').to_numpy()
        usual = int(np.bincount(counts).argmax())
        if usual > 3 and np.mean(counts == usual) >= _MOST:
            names = tuple(f"value_{number}" for number in range(1, usual + 1))
            return ValueStep(DelimitedRule(by, names))
    return None


def _find_literal(lines: pa.Array) -> tuple[str, ...]:
    """The longest word of the first line that all lines have, if there is one."""
    for word in sorted(set(_WORD.findall(lines[0].as_py())), key=lambda w: (-len(w), w)):
        if pc.all(pc.match_substring(lines, word)).as_py():
            return (word,)
    return ()


def _describe(events: Events, latest: float) -> Iterator[FieldSeen]:
    for name, values in events.fields.items():
        if isinstance(values, str) or not pa.types.is_string(values.type):
            continue
        some = values.drop_null()
        yield FieldSeen(
            name=name,
            type=_find_type(some),
            share=len(some) / max(1, len(values)),
            example=some[0].as_py()[:60],
            clock=_find_clock(some, latest),
            meaning=_find_meaning(name),
        )


def _find_type(some: pa.Array) -> str:
    if pc.all(pc.match_substring_regex(some, r"^-?\d+(?:\.\d+)?$")).as_py():
        return "number"
    if pc.all(
        pc.match_substring_regex(some, r"^(?:\d{1,3}\.){3}\d{1,3}$|^[\da-fA-F]*:[\da-fA-F:.]+$")
    ).as_py():
        return "ip"
    return "text"


def _find_clock(some: pa.Array, latest: float) -> str | None:
    head = some.slice(0, 200)
    epoch = pc.match_substring_regex(head, r"^\d{9,19}(?:\.\d+)?$")
    dated = pc.match_substring_regex(head, r"\d\d:\d\d")
    if not pc.all(pc.or_(epoch, dated)).as_py():
        return None
    if parse_times(head).null_count <= (1 - _MOST) * len(head):
        return ""
    for form in _FORMS:
        if parse_clock(head, form, latest).null_count <= (1 - _MOST) * len(head):
            return form
    return None


def _find_meaning(name: str) -> str | None:
    for meaning, pattern in _MEANINGS.items():
        if re.fullmatch(pattern, name, re.IGNORECASE):
            return meaning
    return None


def _write(name: str, form: TextForm, lines: pa.Array, *, fields: Sequence[FieldSeen]) -> str:
    stored = [f for f in fields if f.share >= 0.05][:60]
    out = [
        f"# Draft of a source: {form.description}. Complete title, sourcetype, datasets. Then see",
        "# what `escudo source test DIR` says; `escudo ingest --sources DIR` reads logs by it.",
        f"name: {name}",
        f"title: {name.replace('_', ' ').capitalize()}",
        "priority: 50",
        f"source: {name}",
        f"sourcetype: {name}",
        "index: main",
        "fields:",
        *(
            f"  - {_quote(f.name)}  # {f.type}, {f.share:.0%} of events, such as {f.example!a}"
            for f in stored
        ),
        "text:",
    ]
    if form.header is not None:
        out.append(f"  header: {form.header.value}")
        if form.by:
            out.append(f"  by: {_quote(form.by)}")
    if form.syslog:
        out.append("  syslog: true")
    if form.contains:
        out.append(f"  contains: [{_quote(form.contains[0])}]")
    else:
        out.append(
            "  # contains: a literal that each event has; without one only a source type decides"
        )
    out += _write_steps(form.read)
    out += _write_times(fields, form)
    out += _write_datasets(stored)
    out += ["samples:", f"  - text: {_quote(_show_sample(form, lines))}", "    rows:"]
    out.append("      - {}  # the fields that this event must have")
    return "\n".join(out) + "\n"


def _show_sample(form: TextForm, lines: pa.Array) -> str:
    """A text of one event: the first line, behind its header if it has one."""
    texts: list[str] = lines.slice(0, 50).to_pylist()
    if form.header is None:
        return texts[0] + "\n"
    heads = 1 if form.header is Header.ROW else sum(1 for t in texts if t.startswith("#"))
    return "\n".join(texts[: heads + 1]) + "\n"


def _write_steps(steps: Sequence[Step]) -> Iterator[str]:
    if not steps:
        return
    yield "  read:"
    for step in steps:
        if isinstance(step, PairStep):
            between = step.rule.between.removesuffix("\r\n")
            yield f"    - pairs: {{between: {_quote(between)}}}"
        elif isinstance(step, ValueStep):
            names = " ".join(step.rule.names)
            yield f"    - values: {{by: {_quote(step.rule.by)}, names: {_quote(names)}}}"


def _write_times(fields: Sequence[FieldSeen], form: TextForm) -> Iterator[str]:
    times = [field for field in fields if field.clock is not None]
    dated = {field.name.lower(): field.name for field in fields}
    if form.header is Header.W3C and {"date", "time"} <= set(dated):
        yield "  time:"
        yield f"    - {{of: [{dated['date']}, {dated['time']}], form: '%Y-%m-%d %H:%M:%S'}}"
    elif times:
        yield "  time:"
        for field in times[:3]:
            clock = f", form: {_quote(field.clock)}" if field.clock else ""
            yield f"    - {{of: {_quote(field.name)}{clock}}}"
    elif not form.syslog:
        yield "  # time: no field looks like one"


def _write_datasets(fields: Sequence[FieldSeen]) -> Iterator[str]:
    meant = {f.meaning: f.name for f in reversed(fields) if f.meaning is not None}
    for dataset, wanted in _MODELS:
        if not wanted <= set(meant):
            continue
        model, _, name = dataset.partition(".")
        yield "# A guess, by the names of the fields:"
        yield "# datasets:"
        yield f"#   - model: {model}"
        yield f"#     dataset: {name}"
        yield "#     events: {}"
        yield "#     fields:"
        for meaning, field in sorted(meant.items()):
            yield f"#       {meaning}: {_expression(field)}"
        return


def _expression(field: str) -> str:
    return field if re.fullmatch(r"[A-Za-z_]\w*", field) else _quote(f"'{field}'")


def _quote(text: str) -> str:
    """A text as YAML reads it back.

    >>> _quote("a"), _quote("a b\\t")
    ('a', '"a b\\\\t"')
    """
    if _PLAIN_NAME.fullmatch(text) and text.lower() not in (
        "null",
        "true",
        "false",
        "yes",
        "no",
        "on",
        "off",
        "y",
        "n",
    ):
        return text
    escapes = {'"': '\\"', "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
    shown = "".join(escapes.get(c) or (c if c.isprintable() else f"\\x{ord(c):02x}") for c in text)
    return f'"{shown}"'
