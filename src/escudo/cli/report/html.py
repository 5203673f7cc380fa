"""A report -> one HTML page that needs nothing else; called by ``escudo hunt --output``.

Templates escape what they write, and show what a reader could not see (control characters,
bidirectional overrides) as escapes. The page's policy allows its own style and script, told by
their hashes, and nothing else: no other script, no request.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from functools import partial
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from escudo.actions.hunt_report import KINDS, HuntReport, rank_findings
from escudo.actions.hunt_summary import RiskyObject, Span
from escudo.cli.report.charts import Steps, draw_histogram, draw_steps, show_second
from escudo.cli.report.text import (
    cut,
    list_fields,
    list_tree_lines,
    rank_counts,
    show_count,
    show_line,
    show_number,
    show_range,
    show_text,
)
from escudo.cli.terminal import escape_controls
from escudo.findings.attack import TACTICS
from escudo.findings.notable import SEVERITIES

TITLE = "Hunt report"
_SECTIONS = (
    ("summary", "Summary"),
    ("timeline", "Timeline"),
    ("attack", "ATT&CK"),
    ("findings", "Findings"),
    ("hosts", "Hosts"),
    ("users", "Users"),
    ("risk", "Risk"),
    ("coverage", "Coverage"),
    ("rejected", "Not read"),
    ("made", "How it was made"),
)
_WORST = 10
_TEMPLATES = "templates"


def render_html(report: HuntReport) -> str:
    """The page of a report, as text for UTF-8."""
    folder = files("escudo.cli.report") / _TEMPLATES
    style = (folder / "report.css").read_text(encoding="utf-8")
    script = (folder / "report.js").read_text(encoding="utf-8")
    environment = open_templates(autoescape=True)
    template = environment.get_template("report.html.j2")
    return template.render(
        **describe(report),
        style=Markup(style),  # nosec B704: a file of ours
        style_hash=_hash(style),
        script=Markup(script),  # nosec B704: a file of ours
        script_hash=_hash(script),
        sections=_SECTIONS,
    )


def _hash(text: str) -> str:
    """What a Content-Security-Policy calls an inline text by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def open_templates(*, autoescape: bool) -> Environment:
    """The templates of this package with their filters; all they write goes through ``_show``."""
    environment = Environment(  # nosec B701: Markdown has no HTML to escape
        loader=PackageLoader("escudo.cli.report", _TEMPLATES),
        autoescape=autoescape,
        finalize=_show,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        attack_url=make_attack_url,
        count=show_count,
        cut=cut,
        fields=list_fields,
        line=show_line,
        number=show_number,
        ranked=rank_counts,
        second=show_second,
        steps=_draw_risk,
        sub=_cut_technique,
        text=show_text,
        tree_lines=list_tree_lines,
    )
    return environment


def _show(value: object) -> object:
    """What a template writes of a value; what a macro has made is escaped already."""
    if isinstance(value, Markup):
        return value
    return escape_controls(value) if isinstance(value, str) else value


def describe(report: HuntReport) -> dict[str, Any]:
    """What the templates of all formats are given."""
    summary, making = report.summary, report.making
    timed = [(row.time, row.severity) for row in summary.rows if row.time is not None]
    seen = {column.tactic for column in report.matrix}
    parts = {part.detection.name: part for part in report.detections}
    objects = {f"{part.kind}:{part.name.lower()}": part for part in (*report.hosts, *report.users)}
    return {
        "title": TITLE,
        "report": report,
        "summary": summary,
        "making": making,
        "limits": report.limits,
        "severities": tuple(reversed(SEVERITIES)),
        "kinds": KINDS,
        "events": sum(count.events for count in summary.events),
        "worst": rank_findings(report.detections)[:_WORST],
        "findings_of": Counter(f.worst.severity for f in summary.findings),
        "rows_of": Counter(row.severity for row in summary.rows),
        "histogram": draw_histogram(timed),
        "untimed": len(summary.rows) - len(timed),
        "unseen": [tactic.name for tactic in TACTICS if tactic not in seen],
        "techniques": _Optional(
            (t.technique.id, {"number": number, "name": t.technique.name})
            for number, t in enumerate(summary.techniques, 1)
        ),
        "parts": _Optional(parts),
        "objects": _Optional(objects),
        "span": _find_span(report),
        "made": [
            ("Escudo", making.version),
            ("Written", f"{show_second(making.made)} UTC"),
            ("Clock of the searches", f"{show_second(making.now)} UTC"),
            ("Time searched", show_range(making.within)),
            ("Engine", making.engine),
            ("Content", ", ".join(("Escudo's own", *making.circumstances.content))),
            ("Detections", f"{making.detections:,} in the content, {summary.detections:,} ran"),
            *((f"Asked for: {name}", value) for name, value in making.circumstances.asked),
            ("Lake", making.circumstances.lake or "a temporary one"),
        ],
    }


class _Optional(dict[str, Any]):
    """A mapping that has None for what it has not: a template asks whether there is a link."""

    def __missing__(self, key: str) -> None:
        return None


def _find_span(report: HuntReport) -> Span:
    """From the first to the last event that has given risk."""
    times = [event.time for risk in report.summary.risk for event in risk.events]
    return Span(min(times, default=0.0), max(times, default=0.0))


def _draw_risk(risk: RiskyObject, span: Span) -> Steps:
    draw = partial(draw_steps, start=span.earliest, end=span.latest)
    return draw([(event.time, event.score) for event in risk.events])


def _cut_technique(identity: str) -> str:
    """The part of a sub-technique's id that its technique has not.

    >>> _cut_technique("T1059.001")
    '.001'
    """
    return f".{identity.partition('.')[2]}"


def make_attack_url(identity: str) -> str:
    """The page of a technique that ATT&CK has.

    >>> make_attack_url("T1059.001")
    'https://attack.mitre.org/techniques/T1059/001/'
    """
    return f"https://attack.mitre.org/techniques/{identity.replace('.', '/')}/"
