"""Judgements -> findings as sinks take them; called by actions that send findings on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from escudo.actions.match_rows import iterate_match
from escudo.detect import Match
from escudo.findings import Judgement
from escudo.findings.rows import hash_rows
from escudo.sinks import Finding


def list_findings(judgements: Iterable[Judgement]) -> Iterator[Finding]:
    """Each row that was found once, with the fields of ``--format jsonl``, the id by which it is
    known again (``event_hash`` of its risk events and findings), and the run that found it."""
    for judgement in judgements:
        if judgement.match.rows.num_rows:
            yield from _list_match(judgement.match)


def _list_match(match: Match) -> Iterator[Finding]:
    hashes = hash_rows(match.detection.id, match.rows).to_pylist()
    for identity, row in zip(hashes, iterate_match(match), strict=True):
        yield {
            "finding_id": identity,
            "search_name": match.detection.search_name,
            "orig_sid": match.sid,
            **row,
        }
