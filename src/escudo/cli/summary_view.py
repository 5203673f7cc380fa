"""A hunt's summary -> one screen of it; called by ``escudo hunt``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from escudo.actions.hunt_summary import Finding, FoundRow, HuntSummary, Problem, Span
from escudo.actions.match_rows import cut_domain
from escudo.cli.hunt_view import COLOURS
from escudo.cli.terminal import escape_line
from escudo.findings.notable import SEVERITIES

_PIPE_LINES = 50
"""Lines where there is no terminal."""

_WIDEST = 130
"""Columns that tables are spread over at most."""

_MOST_FINDINGS = 10
_FEWEST_FINDINGS = 3
_LEAST_ROWS = 3
_MOST_ROWS = 8
"""Sources and hosts that are shown beside one another: on a low screen, and on a high one."""

_SHORT = {
    "critical": "crit",
    "high": "high",
    "medium": "med",
    "low": "low",
    "informational": "info",
}
_LEVEL_WIDTH = len("critical")
_LONG = 7 * 86_400.0
"""Seconds of a span whose hours and minutes do not matter."""


def show_summary(summary: HuntSummary, console: Console, zone: tzinfo = UTC) -> None:
    """The summary in as many lines as the terminal has, less one for the prompt; times are those of
    a zone.

    A high terminal has more of each part, and blank lines between them; a low one fewer findings.
    """
    room = (console.height if console.is_terminal else _PIPE_LINES) - 1
    width = console.width
    table_width = min(width, _WIDEST)
    foot = _list_foot(summary, width)
    worst = summary.findings[:_MOST_FINDINGS]
    rooms = _find_rooms([finding.worst for finding in worst], table_width)
    findings = [_lay_out_finding(finding, table_width, rooms, zone) for finding in worst]
    head = [_describe_data(summary, zone), *_list_counts(summary, table_width, _LEAST_ROWS)]
    title = 1
    while (
        len(findings) > _FEWEST_FINDINGS
        and len(head) + title + sum(map(len, findings)) + len(foot) > room
    ):
        findings.pop()
    spare = room - (len(head) + title + sum(map(len, findings)) + len(foot))
    gap = [Text()] if spare >= 2 else []
    if spare > 2:
        rows = min(_MOST_ROWS, _LEAST_ROWS + spare - 2)
        head = [_describe_data(summary, zone), *_list_counts(summary, table_width, rows)]
    shown = [line for finding in findings for line in finding]
    body = [_describe_findings(summary, len(findings)), *shown]
    for line in [*head, *gap, *body, *gap, *foot]:
        line.truncate(width, overflow="ellipsis")
        console.print(line, no_wrap=True)


def _describe_data(summary: HuntSummary, zone: tzinfo) -> Text:
    events = sum(count.events for count in summary.events)
    line = Text()
    line.append(f"{events:,} events", style="bold")
    if summary.data is not None:
        line.append(f", {_show_span(summary.data, zone)} {zone}")
    if summary.hits is not None:
        line.append(f"; hits {_show_span(summary.hits, zone)}")
    return line


def _show_span(span: Span, zone: tzinfo = UTC) -> str:
    """The days of a span; its minutes, too, if it is short.

    >>> _show_span(Span(0.0, 3600.0)), _show_span(Span(0.0, 864_000.0))
    ('1970-01-01 00:00 to 01:00', '1970-01-01 to 1970-01-11')
    """
    size = len("2024-05-14 08:00") if span.latest - span.earliest < _LONG else len("2024-05-14")
    first, last = (_show_time(time, zone)[:size] for time in (span.earliest, span.latest))
    if first == last:
        return first
    return f"{first} to {last[11:] if first[:10] == last[:10] else last}"


def _show_time(time: float | None, zone: tzinfo) -> str:
    if time is None:
        return ""
    return f"{datetime.fromtimestamp(time, zone):%Y-%m-%d %H:%M:%S}"


def _list_counts(summary: HuntSummary, width: int, most: int) -> list[Text]:
    """Events by source, and beside them severities by host: a headline and at most so many rows."""
    hosts = _list_hosts(summary, width * 45 // 100, most)
    left = width - max((line.cell_len for line in hosts), default=0) - 2
    sources = _list_sources(summary, left if hosts else width, most)
    lines = []
    for index in range(max(len(sources), len(hosts))):
        line = sources[index] if index < len(sources) else Text()
        if index < len(hosts):
            line.pad_right(max(0, left + 2 - line.cell_len))
            line.append_text(hosts[index])
        lines.append(line)
    return lines


def _list_sources(summary: HuntSummary, width: int, most: int) -> list[Text]:
    counts: Counter[str] = Counter()
    for event in summary.events:
        counts[_name_source(event.source, event.sourcetype)] += event.events
    rows = counts.most_common()
    if not rows:
        return []
    if len(rows) > most:
        rest = rows[most - 1 :]
        more = f"and {len(rest):,} more sources"
        rows = [*rows[: most - 1], (more, sum(count for _, count in rest))]
    digits = max(len("events"), *(len(f"{count:,}") for _, count in rows))
    room = max(8, min(width - digits - 2, max(len(name) for name, _ in rows)))
    head = Text(f"{'events':>{digits}}  source", style="dim")
    return [head, *(Text(f"{count:>{digits},}  {_cut(name, room)}") for name, count in rows)]


def _name_source(source: str, sourcetype: str) -> str:
    """What people call a log: of Windows logs the channel, else the sourcetype.

    >>> _name_source("XmlWinEventLog:Microsoft-Windows-Sysmon/Operational", "XmlWinEventLog")
    'Sysmon/Operational'
    >>> _name_source("aws_cloudtrail", "aws:cloudtrail")
    'aws:cloudtrail'
    """
    kind, _, channel = source.partition(":")
    if channel and kind.lower().removeprefix("xml") == "wineventlog":
        return escape_line(channel.removeprefix("Microsoft-Windows-"))
    return escape_line(sourcetype or source)


def _list_hosts(summary: HuntSummary, width: int, most: int) -> list[Text]:
    if not summary.hosts:
        return []
    levels = [s for s in reversed(SEVERITIES) if any(s in h.severities for h in summary.hosts)]
    rows = [(escape_line(h.host) or "(no host)", Counter(h.severities)) for h in summary.hosts]
    if len(rows) > most:
        rest = rows[most - 1 :]
        total = sum((severities for _, severities in rest), Counter[str]())
        rows = [*rows[: most - 1], (f"and {len(rest):,} more hosts", total)]
    sizes = {
        level: max(len(_SHORT[level]), *(len(f"{own[level]:,}") for _, own in rows))
        for level in levels
    }
    room = max(8, min(width - sum(sizes.values()) - len(sizes), max(len(n) for n, _ in rows)))
    head = Text(f"{'host':<{room}}", style="dim")
    for level in levels:
        head.append(f" {_SHORT[level]:>{sizes[level]}}", style=COLOURS[level])
    lines = [head]
    for name, own in rows:
        line = Text(_fit(name, room))
        for level in levels:
            shown = f"{own[level]:,}" if own[level] else "."
            line.append(f" {shown:>{sizes[level]}}", style=COLOURS[level] if own[level] else "dim")
        lines.append(line)
    return lines


def _describe_findings(summary: HuntSummary, shown: int) -> Text:
    line = Text()
    if summary.stopped:
        line.append("Stopped, so this is part of it: ", style="bold yellow")
    line.append(
        f"{summary.detections_that_found:,} of {summary.detections:,} detections found "
        f"{len(summary.rows):,} rows",
        style="bold",
    )
    if shown:
        all_shown = shown == len(summary.findings)
        more = f"; the worst {shown} of {len(summary.findings):,} (--details has all):"
        line.append(":" if all_shown else more)
    return line


def _find_rooms(rows: Sequence[FoundRow], width: int) -> tuple[int, int]:
    """The cells for hosts and for users: what they need, but no more than their share."""
    most = width * 16 // 100, width * 12 // 100
    hosts = max((cell_len(_name_host(row, most[0])) for row in rows), default=0)
    users = max((cell_len(_name_user(row, most[1])) for row in rows), default=0)
    return min(hosts, most[0]), min(users, most[1])


def _lay_out_finding(
    finding: Finding, width: int, rooms: tuple[int, int], zone: tzinfo
) -> list[Text]:
    """Two lines: when, where, who, what; and the evidence."""
    row = finding.worst
    line = Text(_fit(row.severity[:_LEVEL_WIDTH], _LEVEL_WIDTH), style=COLOURS[row.severity])
    line.append(f" {_show_time(row.time, zone)[:16]:<16} ", style="default")
    line.append(_fit(_name_host(row, rooms[0]), rooms[0]), style="cyan")
    line.append(f" {_fit(_name_user(row, rooms[1]), rooms[1])} ")
    technique = escape_line(max(row.techniques, key=len, default=""))
    room = width - line.cell_len - len(technique) - 1
    line.append(_fit(escape_line(row.detection), room), style="bold")
    line.append(f" {technique}", style="dim")
    evidence = row.command or row.message or (f"risk {row.risk_score:g}" if row.risk_score else "")
    more = f"({len(finding.rows):,} rows) " if len(finding.rows) > 1 else ""
    if not evidence and not more:
        return [line]
    text = " ".join(escape_line(evidence).split())
    return [line, Text(f"{'':{_LEVEL_WIDTH}} {more}{text}")]


def _name_host(row: FoundRow, room: int) -> str:
    """The host; without its domain where there is no room for it."""
    host = escape_line(row.host)
    short = ", ".join(map(cut_domain, row.hosts))
    return host if cell_len(host) <= room else escape_line(short)


def _name_user(row: FoundRow, room: int) -> str:
    """The user; without the domain if that is the host's name, or where there is no room for it."""
    domain, _, name = row.user.rpartition("\\")
    local = domain.lower() == row.host.lower().partition(".")[0]
    return escape_line(name if local or cell_len(row.user) > room else row.user)


def _list_foot(summary: HuntSummary, width: int) -> list[Text]:
    """A line each: risk, what is not covered, what was not read, what failed; those that say
    something."""
    lines = []
    if summary.risk:
        objects = [f"{r.name} {r.score:,.0f}" for r in summary.risk]
        lines.append(_list_items("Risk", "", objects, width))
    gaps = summary.gaps
    if gaps.detections:
        noun = "detection lacks its" if len(gaps.detections) == 1 else "detections lack their"
        sources = [f"{s.source} {len(s.detections):,}" for s in gaps.sources]
        lines.append(
            _list_items("Not covered", f"{len(gaps.detections):,} {noun} logs: ", sources, width)
        )
    unread = summary.unread
    counts = (
        (unread.rejected, "inputs rejected"),
        (unread.blind, "events not understood"),
        (unread.file_time, "events with the time of their file"),
        (unread.other_lines, "other lines"),
    )
    told = [f"{count:,} {what}" for count, what in counts if count]
    if not told and unread.files:
        told = _count_codes(unread.files)
    if told:
        lines.append(_list_items("Not read", "", told, width))
    if summary.failed:
        codes = _count_codes(summary.failed)
        names = len({problem.name for problem in summary.failed})
        noun = "detection" if names == 1 else "detections"
        lines.append(_list_items("Not run", f"{names:,} {noun} failed: ", codes, width))
    return lines


def _count_codes(problems: Iterable[Problem]) -> list[str]:
    counts = Counter(problem.code for problem in problems).most_common()
    return [f"{code} {count:,}" for code, count in counts]


def _list_items(title: str, before: str, items: Sequence[str], width: int) -> Text:
    """As many of the items as fit into a line; the number of the others."""
    line = Text(f"{title}: ", style="bold")
    line.append(before)
    shown = 0
    for item in items:
        text = ("; " if shown else "") + escape_line(item)
        more = f"; {len(items) - shown - 1:,} more" if shown + 1 < len(items) else ""
        if shown and line.cell_len + len(text) + len(more) > width:
            break
        line.append(text)
        shown += 1
    if shown < len(items):
        line.append(f"; {len(items) - shown:,} more", style="dim")
    return line


def _fit(text: str, room: int) -> str:
    """The text in exactly so many cells."""
    return set_cell_size(text, room) if cell_len(text) <= room else _cut(text, room)


def _cut(text: str, room: int) -> str:
    """The text in at most so many cells."""
    return text if cell_len(text) <= room else set_cell_size(text, room - 1) + "…"
