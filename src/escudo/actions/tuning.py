"""A detection, what it is not to find any more -> content whose filter leaves that out, an overlay
that says so, and what it would have left out; called by the pages of the server.

A detection ends with a filter macro, which is for local exclusions. An exclusion adds
``| search NOT (field="value" ...)`` to what the macro says.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from escudo.actions.run_apart import BenchPlan, run_tests_apart
from escudo.actions.run_tests import TestOptions, plan_tests
from escudo.content import Content, Detection
from escudo.core.catalog import Macro
from escudo.core.errors import EscudoError
from escudo.core.timerange import iso_utc
from escudo.detect.attack_data import DataFinder
from escudo.detect.testing import TestResult
from escudo.findings.tokens import escape_value
from escudo.schedule.suppressions import Suppression
from escudo.spl.parse import parse
from escudo.triage.queue import Finding, FindingFilter, FindingQueue

_FIELD = re.compile(r"[A-Za-z_][\w.]{0,99}")
_LONGEST = 2_000
_MOST_FIELDS = 10
_FOLDER = "tuned"


@dataclass(frozen=True, kw_only=True, slots=True)
class Exclusion:
    """Rows of a detection that it is not to find: all fields have these values, in which ``*``
    stands for any characters. Times are epoch seconds; ``expires`` None is never."""

    id: int
    detection: str
    fields: Mapping[str, str]
    author: str
    reason: str
    created: float
    expires: float | None

    def is_over(self, now: float) -> bool:
        return self.expires is not None and self.expires <= now

    def check(self, now: float) -> None:
        """Raises EscudoError: TRI006 for one that cannot be."""
        if not 0 < len(self.fields) <= _MOST_FIELDS:
            raise EscudoError("TRI006", f"an exclusion has 1 to {_MOST_FIELDS} fields")
        for name, value in self.fields.items():
            if not _FIELD.fullmatch(name):
                raise EscudoError("TRI006", f"{name!r} is no name of a field")
            if not value.strip("* ") or len(value) > _LONGEST or "\n" in value:
                raise EscudoError("TRI006", f"{name}: a value that would leave out everything")
        if not self.reason.strip():
            raise EscudoError("TRI006", "an exclusion needs a reason")
        if self.is_over(now):
            raise EscudoError("TRI006", "it would be over already")

    def format(self) -> str:
        """The condition, in SPL.

        >>> quiet = Exclusion(
        ...     id=1, detection="", fields={"user": "svc*"}, author="", reason="", created=0,
        ...     expires=None,
        ... )
        >>> quiet.format()
        'search NOT (user="svc*")'
        """
        parts = (f'{name}="{escape_value(value)}"' for name, value in self.fields.items())
        return f"search NOT ({' '.join(parts)})"


@dataclass(frozen=True, slots=True)
class Removed:
    """What an exclusion would have left out: findings of so many that there are, ``hits`` of which
    somebody has called a true positive."""

    findings: Sequence[Finding]
    total: int

    @property
    def hits(self) -> int:
        return sum(f.disposition == "true positive" for f in self.findings)


def tune_content(content: Content, exclusions: Sequence[Exclusion], now: float) -> Content:
    """The content whose detections leave out what exclusions that are not over say."""
    macros = {(macro.name, len(macro.arguments)): macro for macro in content.macros}
    changed = False
    for name, own in _group(exclusions, now).items():
        detection = next((d for d in content.detections if d.name == name), None)
        if detection is not None and has_filter(detection):
            key = detection.filter_macro, 0
            text = write_filter(macros[key].definition if key in macros else "search *", own)
            macros[key] = Macro(detection.filter_macro, text)
            changed = True
    if not changed:
        return content
    return replace(content, macros=tuple(macros.values()))


def has_filter(detection: Detection) -> bool:
    """Whether the search of a detection calls its filter macro."""
    return f"`{detection.filter_macro}`" in detection.search


def write_filter(base: str, exclusions: Sequence[Exclusion]) -> str:
    """What a filter macro says with exclusions.

    Raises:
        EscudoError: what the language says, if it is no SPL.
    """
    text = " | ".join([base.strip() or "search *", *(e.format() for e in exclusions)])
    parse(f"| {text}")
    return text


def _group(exclusions: Sequence[Exclusion], now: float) -> dict[str, list[Exclusion]]:
    grouped: dict[str, list[Exclusion]] = {}
    for exclusion in exclusions:
        if not exclusion.is_over(now):
            grouped.setdefault(exclusion.detection, []).append(exclusion)
    return grouped


def find_removed(
    queue: FindingQueue, exclusion: Exclusion, *, since: float | None, most: int = 10_000
) -> Removed:
    """Findings of the detection, made since a time, that an exclusion would have left out."""
    wanted = FindingFilter(status=(), detection=exclusion.detection, made_since=since)
    page = queue.list_page(wanted, sort="newest", count=most)
    like = Suppression(0, "", exclusion.fields, "", 0.0, None)
    return Removed([f for f in page.findings if like.matches([], f.fields)], page.total)


def run_tuned_tests(
    content: Content,
    detection: Detection,
    exclusions: Sequence[Exclusion],
    *,
    now: float,
    prepare: Callable[[], None],
    sources: tuple[Path, ...] = (),
) -> list[TestResult]:
    """The results of the detection's own tests with exclusions: what is to be found must still be.

    They run in a process of their own, which takes seconds; ``prepare`` is what it does first.
    """
    tuned = tune_content(content, exclusions, now)
    planned = tuple(plan_tests([detection], DataFinder()))
    plan = BenchPlan(
        content=replace(tuned, detections=(detection,), kept=()),
        lakes=None,
        sources=sources,
        options=TestOptions(now=now),
        prepare=prepare,
    )
    return [result for _, result in run_tests_apart(planned, plan, 1)]


def write_overlay(
    folder: Path, content: Content, exclusions: Sequence[Exclusion], *, now: float
) -> list[Path]:
    """Writes an overlay of exclusions, a file a detection; files of detections that have none any
    more go. ``escudo hunt --overlay FOLDER`` takes it, too.

    Args:
        content: as it is without these exclusions.
    """
    place = folder / _FOLDER
    place.mkdir(parents=True, exist_ok=True)
    written = []
    for name, own in sorted(_group(exclusions, now).items()):
        file = place / f"{re.sub(r'[^a-z0-9]+', '_', name.lower()).strip('_')}.yml"
        text = "".join(_write_file(content, name, own))
        temporary = file.with_suffix(".tmp")
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, file)
        written.append(file)
    for old in set(place.glob("*.yml")) - set(written):
        old.unlink()
    return written


def _write_file(content: Content, name: str, own: Sequence[Exclusion]) -> Iterator[str]:
    detection = next((d for d in content.detections if d.name == name), None)
    macro = "" if detection is None else detection.filter_macro
    base = next((m.definition for m in content.macros if m.name == macro), "search *")
    yield "# Written by the server, which writes it anew: change it in the browser.\n"
    for exclusion in own:
        until = "" if exclusion.expires is None else f", until {iso_utc(exclusion.expires)}"
        reason = " ".join(exclusion.reason.split())
        yield f"# {iso_utc(exclusion.created)}, {exclusion.author}{until}: {reason}\n"
    yield yaml.safe_dump(
        {"change": name, "filter": write_filter(base, own)},
        sort_keys=False,
        allow_unicode=True,
        width=1_000_000,
    )
