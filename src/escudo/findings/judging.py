"""A match -> what is written down: risk events and findings, as its deployment says; called by
``actions.hunt``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from escudo.content import Deployment
from escudo.core.catalog import Catalog
from escudo.core.errors import Diagnostic, EscudoError, Severity
from escudo.core.schema import TableSchema
from escudo.detect import Match
from escudo.findings.annotations import annotate
from escudo.findings.notable import build_findings
from escudo.findings.risk import build_risk_events
from escudo.findings.rows import hash_rows
from escudo.lake.tables import NOTABLE, RISK


@dataclass(frozen=True)
class Schemas:
    """The tables that judgements are written to: ``Risk.All_Risk`` and the notables."""

    risk: TableSchema
    notable: TableSchema

    @classmethod
    def find(cls, catalog: Catalog) -> Schemas:
        """Those of a lake."""
        raw = {t.table: t for t in catalog.raw_tables()}
        return cls(risk=raw[RISK], notable=raw[NOTABLE])

    @cached_property
    def no_risk_events(self) -> pa.Table:
        return self.risk.arrow().empty_table()

    @cached_property
    def no_findings(self) -> pa.Table:
        return self.notable.arrow().empty_table()


@dataclass(frozen=True)
class Judgement:
    """Risk events and findings of one match, and what was odd (warnings)."""

    match: Match
    risk_events: pa.Table
    findings: pa.Table
    diagnostics: tuple[Diagnostic, ...]


def judge_match(match: Match, deployments: Mapping[str, Deployment], schemas: Schemas) -> Judgement:
    """What a match brings about, by the deployment of its detection's type.

    ``deployments`` is ``Content.deployments``. A failed match, or one of a type that only keeps
    rows (Hunting), has neither risk events nor findings. Equal rows count once.

    Raises:
        EscudoError: FND102 where the type has no deployment.
    """
    detection = match.detection
    deployment = deployments.get(detection.type)
    if deployment is None:
        raise EscudoError("FND102", f"no deployment for detections of type {detection.type}")
    if not match.rows.num_rows:
        return Judgement(match, schemas.no_risk_events, schemas.no_findings, ())
    match, hashes = _hash_rows_once(match)
    problems: list[Diagnostic] = []
    scored = deployment.risk and not match.failed
    if scored:
        for technique in annotate(detection).unknown_techniques:
            problems.append(
                Diagnostic(
                    "FND005",
                    f"{detection.name}: ATT&CK technique {technique} is not known",
                    Severity.WARNING,
                )
            )
    risk_events = schemas.no_risk_events
    if scored:
        risk_events = build_risk_events(match, schemas.risk, hashes=hashes, report=problems.append)
    findings = build_findings(
        match, deployment, schemas.notable, hashes=hashes, report=problems.append
    )
    return Judgement(match, risk_events, findings, tuple(problems))


def drop_equal_rows(match: Match) -> Match:
    """A match without rows that an earlier one equals."""
    unequal, _ = _hash_rows_once(match)
    return unequal


def _hash_rows_once(match: Match) -> tuple[Match, pa.Array]:
    """A match without rows that an earlier one equals, and the hashes of the others."""
    hashes = hash_rows(match.detection.id, match.rows)
    first: dict[str, int] = {}
    for i, value in enumerate(hashes.to_pylist()):
        first.setdefault(value, i)
    if len(first) == match.rows.num_rows:
        return match, hashes
    kept = pa.array(first.values(), pa.int64())
    return match.take(kept), hashes.take(kept)
