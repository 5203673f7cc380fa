"""Paths of logs -> committed events, read by the workers of a cluster, and a report; commands call
it in place of ``ingest``.

The files are cut into parts, each of which a worker reads, normalises and writes as data files
(``part_ingest``). Their rows become visible in one commit, by the process that asked. Pipes and
standard input are read by that process itself.
"""

from __future__ import annotations

import pickle
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from escudo.core.errors import Diagnostic, EscudoError
from escudo.core.event_log import log_event
from escudo.core.spread import Spread
from escudo.lake.identity import Identity
from escudo.lake.ingest import ingest
from escudo.lake.ingest_options import AS_USUAL, IngestOptions
from escudo.lake.known_names import read_known_names
from escudo.lake.ledger import IngestedFile
from escudo.lake.leftovers import drop_unfinished
from escudo.lake.part_ingest import (
    Part,
    PartDone,
    PartTarget,
    find_inventory,
    identify_files,
    make_worker,
    read_done,
    split_file,
    write_part,
)
from escudo.lake.report import FileReport, IngestReport, Outcome, Progress, Silent
from escudo.lake.store import Lake
from escudo.sources.inventory import Inventory
from escudo.sources.listing import STDIN, ListedFile, Piece, list_files, tell_empty_folder
from escudo.sources.remote_files import list_remote
from escudo.storage import find_scheme

LEAST_BYTES = 1 << 20
"""Bytes of files at rest that are a part of their own at least: a task takes some tenths of a
second, and a megabyte of event logs about as long."""

MOST_BYTES = 64 << 20
"""Bytes of files at rest that one part has, but for a file that is larger: half a minute of work
(2026-11-30), which is done again where a worker dies."""

SPLIT_BYTES = 16 << 20
"""Bytes of a file at rest that is read in pieces, at least: to find these takes a task, too."""

MOST_FILES = 500
"""Files of a part."""

_PARTS_A_CORE = 3
"""So that cores whose parts are done sooner do not wait long."""

_BYTES_AN_ID = 32
"""Bytes of a file for which an id is set aside. Where events are smaller, or packed, the part is
done anew with ``_MORE`` times as many."""
_MORE = 16


def ingest_spread(
    paths: Sequence[Path | str],
    lake: Lake,
    spread: Spread,
    options: IngestOptions = AS_USUAL,
    *,
    progress: Progress | None = None,
    stdin: BinaryIO | None = None,
) -> IngestReport:
    """Reads logs into a lake, by other machines; arguments and report are those of ``ingest``.

    The same rows come in as by ``ingest``, all files in one commit or none of them. The lake and
    the files must have the same paths on the machines that work; files may also be at URLs of a
    storage, which these fetch them from.

    Raises:
        EscudoError: ENG009 where a part fails on every machine that tries it, LAK040 where the
            workers do not see the lake; then nothing is in the lake. What ``ingest`` raises.
    """
    alone = [p for p in paths if str(p) == STDIN or _is_special(p)]
    spreadable = [p for p in paths if p not in alone]
    report = IngestReport()
    listed: list[ListedFile] = []
    for item in chain.from_iterable(map(_list_place, spreadable)):
        if isinstance(item, Diagnostic):
            report.diagnostics.append(item)
        else:
            listed.append(item)

    def find_names() -> Inventory:
        known = partial(read_known_names, lake.snapshot(), options.names())
        return find_inventory(listed, options.limits, known)

    # Names are found here, for all parts.
    asked = Part(files=(), ids=range(0), options=replace(options, names=Inventory))
    done = None
    while listed and done is None:
        run = _SpreadRun(lake, spread, asked, find_names)
        done = run.read(listed)
    for file in [] if done is None else done.files:
        progress = progress or Silent()
        progress.started(file.name, None)
        progress.advanced(file.read, 0)
        progress.finished(file)
        report.files.append(file)
    if done is not None:
        report.diagnostics += done.diagnostics
        report.commits += done.commits
    report.diagnostics += map(tell_empty_folder, _find_empty(spreadable, listed, report))
    if alone:
        rest = ingest(alone, lake, options, progress=progress, stdin=stdin)
        report.files += rest.files
        report.diagnostics += rest.diagnostics
        report.commits += rest.commits
    return report


def _list_place(place: Path | str) -> Iterator[ListedFile | Diagnostic]:
    if find_scheme(str(place)) is None:
        return list_files([place])
    return list_remote(str(place))


def _is_special(place: Path | str) -> bool:
    """Whether a path is a pipe or a device, which can be read only once, and here."""
    path = Path(place)
    return (
        find_scheme(str(place)) is None
        and path.exists()
        and not path.is_dir()
        and not path.is_file()
    )


def _find_empty(
    paths: Sequence[Path | str], listed: Sequence[ListedFile], report: IngestReport
) -> Iterator[str]:
    """The folders none of whose files is a log."""
    logs = {file.name for file in report.files}
    full = {file.folder for file in listed if file.name in logs}
    elsewhere = {file.folder for file in listed if file.url is not None}
    folders = [str(p) for p in paths if str(p) in elsewhere or Path(p).is_dir()]
    yield from (folder for folder in folders if folder not in full)


def _join_pieces(parts: Sequence[PartDone], split: Mapping[str, Identity]) -> list[FileReport]:
    """The reports of parts, one for each file."""
    joined: dict[str, FileReport] = {}
    reports: list[FileReport] = []
    for report in chain.from_iterable(part.reports for part in parts):
        if report.name in joined:
            joined[report.name].add(report)
            continue
        reports.append(report)
        if report.name in split:
            joined[report.name] = report
    return reports


def _tell_ingested(report: FileReport, identity: Identity) -> IngestedFile:
    return IngestedFile(identity, report.name, report.read, report.rejected, time.time())


class _SpreadRun:
    """One attempt to read files; ``asked`` is what all parts have in common."""

    def __init__(
        self,
        lake: Lake,
        spread: Spread,
        asked: Part,
        find_names: Callable[[], Inventory],
    ) -> None:
        self._lake = lake
        self._spread = spread
        self._asked = asked
        self._find_names = find_names

    def read(self, listed: Sequence[ListedFile]) -> IngestReport | None:
        """Reads files and commits them; None where another process was faster with one of them, so
        that they are to be looked at again."""
        report = IngestReport()
        fresh, split = self._split(self._leave_out_known(listed, report))
        with self._lake.writer() as writer:
            writer.work.begin()
            target = PartTarget(
                storage=self._lake.storage,
                tables_folder=self._lake.tables_folder,
                rejected_folder=self._lake.rejected_folder,
                tables=self._lake.tables,
                work=writer.work,
            )
            try:
                done = self._do(self._cut(fresh), target)
                for part in done:
                    writer.adopt(part.written)
                reports = _join_pieces(done, split)
                ingested = [file for part in done for file in part.ingested]
                ingested += [_tell_ingested(f, split[f.name]) for f in reports if f.name in split]
                commit = writer.commit(
                    ingested,
                    kind="ingest",
                    again=self._asked.options.force,
                    labelled={table for part in done for table in part.labelled},
                )
            except EscudoError as error:
                if error.code != "LAK009":
                    raise
                return None
            finally:
                # Of parts that were begun twice, one has left files that nobody asked for.
                drop_unfinished(self._lake.tables_folder, self._lake.ledger, writer.work.token)
        log_event("spread ingest", parts=len(done), commit=commit.id)
        report.files += reports
        for part in done:
            report.diagnostics += part.diagnostics
        families = self._lake.tables.families
        general = (families.fallback.name, families.general_text.name)
        for joined in reports:
            if joined.name in split:
                report.diagnostics += joined.warnings(general)
        report.commits += bool(ingested)
        return report

    def _leave_out_known(
        self, listed: Sequence[ListedFile], report: IngestReport
    ) -> list[ListedFile]:
        """The files whose content is not in the lake, nor in one before them."""
        if self._asked.options.force:
            return list(listed)
        sizes = Counter(file.size for file in listed)
        doubtful = [
            f
            for f in listed
            if f.size and (sizes[f.size] > 1 or self._lake.ledger.has_size(f.size))
        ]
        identities = dict(zip(doubtful, self._identify(doubtful), strict=True))
        seen: set[Identity] = set()
        fresh: list[ListedFile] = []
        for file in listed:
            identity = identities.get(file)
            if isinstance(identity, Identity):
                earlier = self._lake.ledger.find(identity)
                if earlier is not None or identity in seen:
                    ingested = None if earlier is None else earlier.ingested
                    known = FileReport(file.name, Outcome.KNOWN, ingested=ingested)
                    report.files.append(known)
                    continue
                seen.add(identity)
            fresh.append(file)
        return fresh

    def _split(
        self, files: Sequence[ListedFile]
    ) -> tuple[list[ListedFile], Mapping[str, Identity]]:
        """The files, the large ones in pieces where that can be, and what these are as a whole."""
        labels = self._asked.options.labels
        most = self._choose_size(files)
        times = Counter(file.name for file in files)
        large = [
            f
            for f in files
            if f.size >= max(SPLIT_BYTES, 2 * most)
            and times[f.name] == 1
            and labels.source is None
            and labels.sourcetype is None
        ]
        given = [pickle.dumps((file, most)) for file in large]
        found = map(pickle.loads, self._spread.map(split_file, given)) if large else ()
        pieces: dict[str, list[Piece]] = {}
        split: dict[str, Identity] = {}
        for file, (identity, cut) in zip(large, found, strict=True):
            if len(cut) > 1:
                pieces[file.name] = cut
                split[file.name] = identity
        shown: list[ListedFile] = []
        for file in files:
            cut = pieces.get(file.name)
            if cut is None:
                shown.append(file)
            else:
                shown += [replace(file, piece=p, size=p.end - p.begin) for p in cut]
        return shown, split

    def _identify(self, files: Sequence[ListedFile]) -> list[Identity | Diagnostic]:
        parts = [pickle.dumps(group) for group in self._group(files)]
        if sum(file.size for file in files) < LEAST_BYTES:
            results = list(map(identify_files, parts))
        else:
            results = self._spread.map(identify_files, parts)
        return [identity for result in results for identity in pickle.loads(result)]

    def _group(self, files: Sequence[ListedFile]) -> Iterator[list[ListedFile]]:
        """Files that are a part together, in their order."""
        most = self._choose_size(files)
        group: list[ListedFile] = []
        held = 0
        for file in files:
            if group and (held + file.size > most or len(group) == MOST_FILES):
                yield group
                group, held = [], 0
            group.append(file)
            held += file.size
        if group:
            yield group

    def _choose_size(self, files: Sequence[ListedFile]) -> int:
        """Bytes of a part."""
        total = sum(file.size for file in files)
        most = total // (_PARTS_A_CORE * max(1, self._spread.at_once))
        return min(max(most, LEAST_BYTES), MOST_BYTES)

    def _cut(self, files: Sequence[ListedFile]) -> list[Part]:
        return [
            replace(self._asked, files=tuple(group), ids=self._allocate(group, 1))
            for group in self._group(files)
        ]

    def _allocate(self, files: Sequence[ListedFile], times: int) -> range:
        count = sum(file.size for file in files) // _BYTES_AN_ID + len(files)
        return self._lake.ledger.allocate(count * times)

    def _do(self, parts: Sequence[Part], target: PartTarget) -> list[PartDone]:
        """What becomes of the parts; those that want more ids or names are done anew with them."""
        work = make_worker(target)
        todo = dict(enumerate(parts))
        results: dict[int, PartDone] = {}
        more = 1
        while todo:
            more *= _MORE
            given = [write_part(part) for part in todo.values()]
            done = map(read_done, self._spread.map(work, given))
            results.update(zip(todo, done, strict=True))
            again = {n: parts[n] for n in todo if not results[n].is_whole}
            if any(results[n].needs_names for n in again):
                self._asked = replace(self._asked, inventory=self._find_names())
            for number in again:
                part = todo[number]
                ids = part.ids
                if results[number].short_of_ids:
                    ids = self._allocate(part.files, more)
                again[number] = replace(part, ids=ids, inventory=self._asked.inventory)
            todo = again
            for number in results:
                error = results[number].error
                if error is not None:
                    raise EscudoError(error.code, error.message, hint=error.hint)
        return [results[number] for number in range(len(parts))]
