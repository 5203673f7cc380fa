"""A difference of content -> lines for a terminal, JSON, Markdown; ``escudo diff`` and ``escudo
content update`` show it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from escudo.actions.diff import Difference, RowChange
from escudo.authoring.differences.comparing import ElementChange
from escudo.authoring.differences.elements import KINDS
from escudo.authoring.differences.field_changes import FieldChange, State
from escudo.authoring.differences.logic import Meaning
from escudo.cli.json_text import dump_json

_SIGNS: Mapping[State, str] = {State.ADDED: "+", State.REMOVED: "-", State.CHANGED: "~"}
_WIDTH = 100
"""Characters of a value that are shown."""


def describe_difference(difference: Difference, most_rows: int) -> dict[str, Any]:
    """The difference as JSON has it; of the rows at most so many a detection."""
    comparison = difference.comparison
    out: dict[str, Any] = {
        "before": comparison.before,
        "after": comparison.after,
        "counts": {
            kind: {state.value: comparison.count(kind, state) for state in State}
            for kind in KINDS
            if any(change.kind == kind for change in comparison.changes)
        },
        "versions_not_raised": [change.name for change in comparison.overdue],
        "changes": [_describe_change(change) for change in comparison.changes],
        "errors": [d.render() for d in comparison.diagnostics],
    }
    if difference.rows is not None:
        out["rows"] = [_describe_rows(change, most_rows) for change in difference.rows]
    return out


def _describe_change(change: ElementChange) -> dict[str, Any]:
    logic = change.logic
    return {
        "kind": change.kind,
        "name": change.name,
        "id": change.id,
        "state": change.state.value,
        "file": change.file,
        "version": {"before": change.versions[0], "after": change.versions[1]},
        "version_not_raised": change.overdue,
        "fields": [
            {"field": f.path, "state": f.state.value, "before": f.before, "after": f.after}
            for f in change.fields
        ],
        "logic": None
        if logic is None
        else {
            "search": logic.meaning.value,
            "through": list(logic.through),
            "lines": list(logic.lines),
        },
    }


def _describe_rows(change: RowChange, most: int) -> dict[str, Any]:
    return {
        "detection": change.name,
        "before": change.before,
        "after": change.after,
        "won": len(change.won),
        "lost": len(change.lost),
        "won_rows": list(change.won[:most]),
        "lost_rows": list(change.lost[:most]),
        "errors": [d.render() for d in change.diagnostics],
    }


def list_lines(difference: Difference, most_rows: int) -> Iterator[str]:
    """The difference, a line each, for a terminal."""
    comparison = difference.comparison
    for kind in KINDS:
        changes = [c for c in comparison.changes if c.kind == kind]
        if not changes:
            continue
        yield f"{_plural(kind)}: {_count_states(changes)}"
        for change in changes:
            yield f"  {_SIGNS[change.state]} {change.name}{_tell_versions(change)}"
            for line in _list_details(change):
                yield f"      {line}"
    if not comparison.changes:
        yield "no difference"
    for diagnostic in comparison.diagnostics:
        yield diagnostic.render()
    if difference.rows is not None:
        yield f"rows of {len(difference.rows):,} detections that may find others:"
        for counted in difference.rows:
            yield from _list_rows(counted, most_rows)
    if comparison.overdue:
        yield f"versions not raised: {len(comparison.overdue):,} (AUT021)"


def _plural(kind: str) -> str:
    return kind[:-1] + "ies" if kind.endswith("y") else kind + "s"


def _count_states(changes: Sequence[ElementChange]) -> str:
    counts = {state: sum(c.state is state for c in changes) for state in State}
    return ", ".join(f"{count:,} {state}" for state, count in counts.items() if count)


def _tell_versions(change: ElementChange) -> str:
    before, after = change.versions
    if change.state is not State.CHANGED:
        return ""
    if before == after:
        told = f"  version {after}" if after is not None else ""
    else:
        told = f"  version {before} -> {after}"
    return told + (", NOT RAISED" if change.overdue else "")


def _list_details(change: ElementChange) -> Iterator[str]:
    for field in change.fields:
        yield f"{_SIGNS[field.state]} {_tell_field(field)}"
    logic = change.logic
    if logic is None:
        return
    if logic.meaning is Meaning.LAYOUT:
        yield "the search is only laid out anew"
    if logic.through:
        yield f"finds otherwise through {', '.join(logic.through)}"
    if logic.meaning is Meaning.CHANGED:
        yield "the search:"
        yield from (f"  {line}" for line in logic.lines)


def _tell_field(field: FieldChange) -> str:
    if field.state is State.ADDED:
        return f"{field.path}: {_shorten(field.after)}"
    if field.state is State.REMOVED:
        return f"{field.path}: {_shorten(field.before)}"
    if isinstance(field.before, list) and isinstance(field.after, list):
        came = [v for v in field.after if v not in field.before]
        went = [v for v in field.before if v not in field.after]
        parts = [f"-{_shorten(v)}" for v in went] + [f"+{_shorten(v)}" for v in came]
        return f"{field.path}: {' '.join(parts) or 'another order'}"
    return f"{field.path}: {_shorten(field.before)} -> {_shorten(field.after)}"


def _shorten(value: Any) -> str:
    text = " ".join(value.split()) if isinstance(value, str) else dump_json(value)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."


def _list_rows(change: RowChange, most: int) -> Iterator[str]:
    counts = f"{change.before:,} -> {change.after:,} rows"
    yield f"  {change.name}: {counts}, {len(change.won):,} won, {len(change.lost):,} lost"
    for sign, rows in (("+", change.won), ("-", change.lost)):
        for row in rows[:most]:
            filled = {k: v for k, v in row.items() if v is not None}
            yield f"      {sign} {dump_json(_as_json(filled))}"
        if len(rows) > most:
            yield f"      {sign} ... {len(rows) - most:,} more"
    for diagnostic in change.diagnostics:
        yield diagnostic.render()


def _as_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row whose values JSON has; others as text."""
    kept = (str, int, float, bool, list, type(None))
    return {k: v if isinstance(v, kept) else str(v) for k, v in row.items()}


def write_markdown(difference: Difference, most_rows: int) -> str:
    """The difference as Markdown, for a pull request."""
    comparison = difference.comparison
    out = [f"## Content: {_code(comparison.before)} to {_code(comparison.after)}", ""]
    if not comparison.changes:
        out += ["No difference.", ""]
    if comparison.overdue:
        out += ["**Versions not raised:**", ""]
        out += [f"- {_escape(c.name)} ({_code(c.file)})" for c in comparison.overdue] + [""]
    for kind in KINDS:
        changes = [c for c in comparison.changes if c.kind == kind]
        if changes:
            out += [f"### {_plural(kind).capitalize()}: {_count_states(changes)}", ""]
            out += [line for change in changes for line in _write_change(change)] + [""]
    if comparison.diagnostics:
        out += ["### Errors", "", *_fence("", [d.render() for d in comparison.diagnostics])]
    if difference.rows is not None:
        out += ["### Rows", "", "| detection | before | after | won | lost |"]
        out += ["|---|---:|---:|---:|---:|"]
        for counted in difference.rows:
            counts = (counted.before, counted.after, len(counted.won), len(counted.lost))
            out.append(f"| {_escape(counted.name)} | {' | '.join(map(str, counts))} |")
        out.append("")
        for counted in difference.rows:
            if counted.won or counted.lost or counted.diagnostics:
                lines = [line.strip("\n") for line in _list_rows(counted, most_rows)]
                out += _fence("", lines)
    return "\n".join(out).rstrip() + "\n"


def _write_change(change: ElementChange) -> Iterator[str]:
    yield f"- {_SIGNS[change.state]} **{_escape(change.name)}**{_escape(_tell_versions(change))}"
    logic = change.logic
    for line in _list_details(change):
        if logic is not None and line.startswith(("the search:", "  ")):
            continue
        yield f"  - {_code(line)}"
    if logic is not None and logic.lines:
        yield ""
        yield from (f"  {line}" for line in _fence("diff", logic.lines))


def _fence(language: str, lines: Sequence[str]) -> list[str]:
    """Lines as a block of code, whose fence is longer than any in it."""
    text = "\n".join(lines)
    fence = "```"
    while fence in text:
        fence += "`"
    return [f"{fence}{language}", *text.split("\n"), fence, ""]


def _code(text: str) -> str:
    """Text as code, between more backquotes than it has."""
    quotes = "`"
    while quotes in text:
        quotes += "`"
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{quotes}{pad}{text}{pad}{quotes}"


def _escape(text: str) -> str:
    """Text that means nothing to Markdown."""
    special = "\\`*_{}[]<>()#+-!|~"
    return "".join(f"\\{c}" if c in special else " " if c in "\r\n" else c for c in text)
