"""An explanation -> JSON with stable names, and a tree for people; called by ``escudo why``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from escudo.core.errors import Span
from escudo.core.timerange import iso_utc
from escudo.detect.why import Candidate, Explanation, Step, Verdict

_KEYS = (
    *("sourcetype", "EventCode", "host", "dest", "src", "user", "parent_process_name"),
    *("process_name", "process", "file_path", "registry_path", "query", "url"),
)
"""The fields that tell events apart for people, with and without the name of a dataset."""
_LONG = 120
_SOME_IDS = 5


# --- machines -------------------------------------------------------------------------------------


def to_dict(name: str, explanation: Explanation) -> dict[str, Any]:
    """An explanation as JSON: names are stable."""
    return {
        "detection": name,
        "candidates": [_candidate(c) for c in explanation.candidates],
        "diagnostics": [
            {"code": d.code, "severity": d.severity.value, "message": d.message}
            for d in explanation.diagnostics
        ],
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "event_ids": list(candidate.event_ids),
        "source_files": list(candidate.source_files),
        "_time": iso_utc(candidate.time) if candidate.time is not None else None,
        "after": candidate.after,
        "matched": candidate.matched,
        "failed": candidate.failed,
        "note": candidate.note,
        "filters": [_step(s) for s in candidate.steps],
        "fields": dict(candidate.fields),
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "command": step.command,
        "spl": step.text,
        "held": step.held,
        **_place(step.span),
        "conditions": [_verdict(v) for v in step.verdicts],
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    out: dict[str, Any] = {
        "kind": verdict.kind,
        "spl": verdict.text,
        "held": verdict.held,
        **_place(verdict.span),
        "values": dict(verdict.values),
        "hint": verdict.hint,
    }
    if verdict.operands:
        out["conditions"] = [_verdict(o) for o in verdict.operands]
    return out


def _place(span: Span | None) -> dict[str, int | None]:
    return {"line": span.line if span else None, "column": span.column if span else None}


# --- people ---------------------------------------------------------------------------------------


def show_explanation(name: str, explanation: Explanation, out: Console) -> None:
    """Each candidate with its filters; what holds and what fails in front of the SPL."""
    out.print(Text(name, style="bold"))
    if not explanation.candidates:
        out.print("no event to look at")
    for candidate in explanation.candidates:
        out.print()
        for line in _lines(candidate, fancy=out.is_terminal):
            out.print(line, soft_wrap=True)


def _lines(candidate: Candidate, *, fancy: bool) -> Iterator[Text]:
    yield _title(candidate)
    yield Text(f"  {_keys(candidate)}", style="dim")
    for step in candidate.steps:
        yield _marked(step.held, step.held is None, step.text, 1, fancy=fancy, bold=True)
        for verdict in step.verdicts:
            yield from _tree(verdict, 2, fancy=fancy)
    if candidate.matched:
        yield Text("  the search finds it", style="green")
    elif candidate.failed:
        plural = "" if candidate.failed == 1 else "s"
        yield Text(f"  {candidate.failed} condition{plural} failed", style="red")
    if candidate.note:
        yield Text(f"  {candidate.note}", style="yellow")


def _title(candidate: Candidate) -> Text:
    ids = ", ".join(map(str, candidate.event_ids[:_SOME_IDS]))
    if len(candidate.event_ids) > _SOME_IDS:
        ids += f" and {len(candidate.event_ids) - _SOME_IDS} more"
    what = "Event" if candidate.after is None else f"Row of '{candidate.after}' from events"
    time = f"  {iso_utc(candidate.time)}" if candidate.time is not None else ""
    files = f"  {', '.join(candidate.source_files[:2])}" if candidate.source_files else ""
    return Text(f"{what} {ids}{time}{files}", style="bold")


def _keys(candidate: Candidate) -> str:
    """The key fields of an event, or all fields of a row, without a dataset's name."""
    plain = {n.rpartition(".")[2]: v for n, v in candidate.fields.items() if not n.startswith("_")}
    keys = [n for n in _KEYS if n in plain] if candidate.after is None else []
    return ", ".join(f"{n}={_short(plain[n])}" for n in keys or plain)


def _tree(verdict: Verdict, depth: int, *, fancy: bool) -> Iterator[Text]:
    text = verdict.text if verdict.held is not None else f"{verdict.text}  (null)"
    yield _marked(verdict.held, False, text, depth, fancy=fancy)
    shown = _only_leaf(verdict)
    if shown is not None:
        indent = "  " * (depth + 2)
        for name, value in shown.values.items():
            text = "is null" if value is None else f"is {_short(value)}"
            yield Text(f"{indent}{name} {text}", style="dim")
        if verdict.hint:
            yield Text(f"{indent}help: {verdict.hint}", style="yellow")
    else:
        for operand in verdict.operands:
            yield from _tree(operand, depth + 1, fancy=fancy)


def _only_leaf(verdict: Verdict) -> Verdict | None:
    """The one condition in a verdict, if there is only one (``NOT x``)."""
    if verdict.kind == "not":
        return _only_leaf(verdict.operands[0])
    return None if verdict.operands else verdict


def _marked(
    held: bool | None, unreached: bool, text: str, depth: int, *, fancy: bool, bold: bool = False
) -> Text:
    if unreached:
        mark, style = ("-", "dim") if fancy else ("--  ", "")
        text = f"{text}  (not reached)"
    elif held:
        mark, style = ("✓", "green") if fancy else ("ok  ", "")
    else:
        mark, style = ("✗", "red") if fancy else ("FAIL", "")
    out = Text("  " * depth)
    out.append(mark, style=style)
    return out.append(f" {_cut(text)}", style="bold" if bold else "")


def _short(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _cut(", ".join(map(str, value)))
    return _cut(str(value).replace("\n", " "))


def _cut(text: str) -> str:
    """The text, its middle left out where it is long."""
    return text if len(text) <= _LONG else f"{text[: _LONG // 2]} ... {text[-_LONG // 3 :]}"
