"""Detections -> events made of their own conditions, run through the whole path, and a verdict for
each; called by ``escudo test --synthesise``.

The events of all detections come into one lake, in the wire formats of their sources. Each trial
(events that must be found, or a near-miss) has a window of time of its own, and a detection is run
over that window only: so what becomes of one detection does not depend on the events of another.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from escudo.actions.workspace import EngineOf
from escudo.cim.models import load as load_models
from escudo.content import Content, Detection
from escudo.core.errors import Diagnostic, Severity
from escudo.core.ordered_map import map_in_order
from escudo.core.timerange import TimeRange
from escudo.detect import Match
from escudo.detect.attempt import attempt
from escudo.detect.running import run_detection
from escudo.lake import Lake
from escudo.lake.ingest import ingest
from escudo.lake.ingest_options import IngestOptions
from escudo.lake.labels import NO_LABELS, Labels
from escudo.lake.tables import Tables
from escudo.synthesis.kinds import Kinds
from escudo.synthesis.scenario import Synthesiser
from escudo.synthesis.tables import hold_tables, write_rows
from escudo.synthesis.trials import Event, Synthesis, Trial

BEGIN = 1_704_067_200.0
"""When the first trial begins: 2024-01-01 in UTC, a Monday."""


@dataclass(frozen=True)
class Outcome:
    """What became of a detection. ``found``: the events that it found, if it fired; ``misfired``:
    near-misses that were found, too, by what is broken in them. ``reason``: why it was not
    synthesised, or did not fire."""

    detection: Detection
    synthesis: Synthesis
    found: Trial | None = None
    misfired: tuple[str, ...] = ()
    reason: str = ""

    @property
    def fired(self) -> bool:
        return self.found is not None

    @property
    def synthesised(self) -> bool:
        return bool(self.synthesis.positives)

    @property
    def failed(self) -> bool:
        """Whether it has to be looked at: it did not fire, or a near-miss did."""
        return not self.fired or bool(self.misfired)


@dataclass(frozen=True)
class SynthesisReport:
    """The outcomes of all detections, in the order in which they were given."""

    outcomes: tuple[Outcome, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    """What was wrong with reading the events."""

    @property
    def failed(self) -> bool:
        """Whether events that must be found were not, or a near-miss was."""
        return any(o.failed for o in self.outcomes if o.synthesised)

    def summarise(self) -> dict[str, Any]:
        """The counts, and the detections that were not synthesised, did not fire, or misfired."""
        outcomes = self.outcomes
        return {
            "detections": len(outcomes),
            "synthesised": sum(o.synthesised for o in outcomes),
            "fired": sum(o.fired for o in outcomes),
            "near_misses": sum(len(o.synthesis.near_misses) for o in outcomes),
            "near_misses_fired": sum(len(o.misfired) for o in outcomes),
            "failed": [_describe_failure(o) for o in outcomes if o.failed],
        }


def _describe_failure(outcome: Outcome) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": outcome.detection.name,
        "file": outcome.detection.origin.file,
        "reason": outcome.reason,
    }
    if outcome.misfired:
        described["near_misses_fired"] = list(outcome.misfired)
    return described


Follow = Callable[[Sequence[Detection]], Iterable[Detection]]
"""Is given a list of detections and yields them one by one (a progress bar)."""


def synthesise_detections(
    detections: Sequence[Detection],
    content: Content,
    tables: Tables,
    *,
    engine_of: EngineOf,
    write: Path | None = None,
    follow: Follow = iter,
) -> SynthesisReport:
    """Makes events for detections, and runs each over its own.

    Args:
        tables: the sources and data models, and so the lake that the events come into.
        write: a folder for the events, as attack data (see ``write_attack_data``).
        follow: is told of each detection before events are made for it.
    """
    synthesiser = Synthesiser(content.knowledge, Kinds(tables.families, load_models()))
    made = [_synthesise(synthesiser, d) for d in follow(detections)]
    windows = _lay_out(made)
    with (
        tempfile.TemporaryDirectory(prefix="escudo-synthesis-") as folder,
        Lake.create_temporary(tables=tables) as lake,
    ):
        diagnostics: list[Diagnostic] = []
        for labels, paths in _write_files(made, windows, Path(folder)):
            diagnostics += ingest(paths, lake, IngestOptions(labels=labels)).diagnostics
        catalog = lake.snapshot()
        engine = engine_of(catalog)
        run = partial(run_detection, catalog=catalog, engine=engine)

        def find(detection: Detection, trials: Sequence[Trial]) -> Match:
            window = TimeRange(windows[id(trials[0])].earliest, windows[id(trials[-1])].latest)
            with hold_tables(content.knowledge, trials) as knowledge:
                return run(detection, knowledge=knowledge, within=window, now=window.latest or 0.0)

        def judge(pair: tuple[Detection, Synthesis]) -> Outcome:
            return _judge(*pair, find=find)

        pairs = list(zip(detections, made, strict=True))
        outcomes = tuple(map_in_order(judge, pairs, threads=engine.at_once))
    if write is not None:
        for outcome in outcomes:
            write_attack_data(outcome, write)
    return SynthesisReport(outcomes, tuple(diagnostics))


def _synthesise(synthesiser: Synthesiser, detection: Detection) -> Synthesis:
    made = attempt(partial(synthesiser.synthesise, detection), name=detection.name)
    if isinstance(made, Diagnostic):
        return Synthesis(detection.name, reason=made.message)
    return made


Windows = Mapping[int, TimeRange]
"""The identity of a trial (``id``) -> its window."""


def _trials(made: Iterable[Synthesis]) -> Iterator[Trial]:
    for synthesis in made:
        yield from synthesis.positives
        yield from synthesis.near_misses


def _lay_out(made: Iterable[Synthesis]) -> Windows:
    """A window for each trial, one after the other."""
    windows: dict[int, TimeRange] = {}
    at = BEGIN
    for trial in _trials(made):
        at = -(-at // trial.align) * trial.align
        windows[id(trial)] = TimeRange(at, at + trial.span)
        at += trial.span
    return windows


def _write_files(
    made: Iterable[Synthesis], windows: Windows, folder: Path
) -> Iterator[tuple[Labels, list[Path]]]:
    """Writes a file for each source family that has events, and for each label that they carry;
    gives the files of each label."""
    texts: dict[Labels, dict[str, list[str]]] = {}
    for trial in _trials(made):
        begin = windows[id(trial)].earliest or 0.0
        for event in trial.events:
            name = f"{event.family}{event.wire.suffix}"
            of_label = texts.setdefault(_label(event), {})
            of_label.setdefault(name, []).append(event.write(begin))
    for number, (labels, of_label) in enumerate(texts.items()):
        own = folder / str(number)
        own.mkdir()
        for name, lines in of_label.items():
            (own / name).write_text("\n".join(lines) + "\n", "utf-8")
        yield labels, [own / name for name in of_label]


def _label(event: Event) -> Labels:
    if not event.wire.labelled:
        return NO_LABELS
    return Labels(source=event.source, sourcetype=event.sourcetype, host=event.host)


def _judge(
    detection: Detection,
    synthesis: Synthesis,
    *,
    find: Callable[[Detection, Sequence[Trial]], Match],
) -> Outcome:
    """Runs a detection over the windows of its trials."""
    if not synthesis.positives:
        return Outcome(detection, synthesis, reason=synthesis.reason)
    fires = (t for t in synthesis.positives if find(detection, [t]).rows.num_rows)
    found = next(fires, None)
    reason = ""
    if found is None:
        first = find(detection, [synthesis.positives[0]])
        errors = [d.message for d in first.diagnostics if d.severity is Severity.ERROR]
        about = f"; {', '.join(synthesis.notes)} not understood" if synthesis.notes else ""
        reason = errors[0] if errors else f"its events were not found{about}"
    misses = synthesis.near_misses
    misfired: list[str] = []
    if misses and not (synthesis.alone or find(detection, misses).rows.num_rows):
        misses = ()
    for miss in misses:
        if find(detection, [miss]).rows.num_rows:
            misfired.append(miss.about)
    return Outcome(detection, synthesis, found, tuple(misfired), reason)


# --- attack data ----------------------------------------------------------------------------------


def write_attack_data(outcome: Outcome, folder: Path) -> Path | None:
    """Writes the events of a detection that fired as attack data, and ``tests.yml`` about them.

    Each detection has a folder of its own. What is in ``tests.yml`` can be put into the
    detection's YAML: a test for the events that must be found, and a negative one a near-miss.
    Gives the folder; None where nothing was found.
    """
    if outcome.found is None:
        return None
    own = folder / _slug(outcome.detection.name)
    own.mkdir(parents=True, exist_ok=True)
    tests: list[dict[str, Any]] = []
    trials = [(outcome.found, "true_positive", "True Positive Test")]
    trials += [
        (miss, f"near_miss_{number}", f"Near Miss {number}")
        for number, miss in enumerate(outcome.synthesis.near_misses, 1)
        if miss.about not in outcome.misfired
    ]
    for trial, stem, name in trials:
        data = list(_write_trial(trial, own, stem))
        _write_tables(trial, own, stem)
        test: dict[str, Any] = {"name": name, "attack_data": data}
        if not trial.fires:
            test = {**test, "negative": True, "description": f"Broken: {trial.about}"}
        tests.append(test)
    text = yaml.safe_dump({"tests": tests}, sort_keys=False, width=100, allow_unicode=True)
    (own / "tests.yml").write_text(text, "utf-8")
    return own


def _write_trial(trial: Trial, folder: Path, stem: str) -> Iterator[dict[str, str]]:
    """Writes a trial's events, a file a source; gives what ``attack_data`` says of each."""
    places: dict[tuple[str, str, str], list[str]] = {}
    for event in trial.events:
        key = (event.wire.suffix, event.source, event.sourcetype)
        places.setdefault(key, []).append(event.write(BEGIN))
    for number, ((suffix, source, sourcetype), lines) in enumerate(places.items()):
        name = f"{stem}{f'_{number + 1}' if number else ''}{suffix}"
        (folder / name).write_text("\n".join(lines) + "\n", "utf-8")
        yield {"data": name, "source": source, "sourcetype": sourcetype}


def _write_tables(trial: Trial, folder: Path, stem: str) -> None:
    """Writes the rows that have to be in collections, a CSV file each; a YAML's test cannot name
    them."""
    for table, rows in trial.tables.items():
        write_rows(folder / f"{stem}.{_slug(table)}.csv", rows)


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
