"""A hunt -> the same with the rows of some hosts and users only; called by who shows a hunt."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from escudo.actions.hunt import Hunt, LogHunt
from escudo.actions.match_rows import iterate_match, list_texts
from escudo.content import Content
from escudo.detect import Match
from escudo.findings import judge_match


@dataclass(frozen=True, kw_only=True, slots=True)
class RowFilter:
    """Which rows are meant: of one of the hosts, and of one of the users; without any, all.

    A name is matched without regard to case; ``*`` stands for any characters.
    """

    hosts: tuple[str, ...] = ()
    users: tuple[str, ...] = ()

    def keep(self, done: LogHunt, content: Content) -> LogHunt:
        """The hunt with these rows, and with the risk and findings of these rows.

        What the hunt has written into the lake is not changed.
        """
        if not self.hosts and not self.users:
            return done
        hunt = done.hunt
        matches, judgements = [], []
        for match, judgement in zip(hunt.matches, hunt.judgements, strict=True):
            kept = self._keep_rows(match)
            matches.append(kept)
            if kept.rows.num_rows < match.rows.num_rows:
                judgement = judge_match(kept, content.deployments, hunt.schemas)
            judgements.append(judgement)
        narrowed: Hunt = replace(hunt, matches=tuple(matches), judgements=tuple(judgements))
        return replace(done, hunt=narrowed)

    def _keep_rows(self, match: Match) -> Match:
        if not match.rows.num_rows:
            return match
        hosts, users = _compile_names(self.hosts), _compile_names(self.users)
        kept = [
            index
            for index, row in enumerate(iterate_match(match))
            if _is_named(row["host"], hosts) and _is_named(row["user"], users)
        ]
        return match.take(pa.array(kept, pa.int64()))


def _compile_names(names: Sequence[str]) -> list[re.Pattern[str]]:
    parts = (".*".join(map(re.escape, name.strip().split("*"))) for name in names)
    return [re.compile(part, re.IGNORECASE | re.DOTALL) for part in parts]


def _is_named(values: Any, names: Sequence[re.Pattern[str]]) -> bool:
    return not names or any(n.fullmatch(v) for v in list_texts(values) for n in names)
