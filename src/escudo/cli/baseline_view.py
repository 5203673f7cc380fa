"""What baselines have left -> words and rows; called by ``escudo baseline`` and ``hunt``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from escudo.core.errors import Severity
from escudo.detect.baselines import BaselineRun

FIELDS = ("baseline", "baseline_id", "rows", "wrote", "error")


def list_runs(runs: Sequence[BaselineRun], *, in_words: bool) -> Iterator[dict[str, Any]]:
    """One object a baseline, as `--format jsonl` prints it; ``in_words`` for a terminal."""
    for run in runs:
        errors = [d.message for d in run.diagnostics if d.severity is Severity.ERROR]
        yield {
            "baseline": run.baseline.name,
            "baseline_id": run.baseline.id,
            "rows": run.rows,
            "wrote": [
                str(c) if in_words else {"kind": c.kind, "name": c.name, "count": c.count}
                for c in run.changes
            ],
            **({"error": errors[0]} if errors else {}),
        }


def summarize_runs(runs: Sequence[BaselineRun]) -> str:
    """One line about all of them."""
    failed = sum(run.failed for run in runs)
    changes = [c for run in runs for c in run.changes]
    filled = len({c.name for c in changes if c.kind == "lookup" and c.count})
    models = len({c.name for c in changes if c.kind == "model"})
    ran = f"{len(runs) - failed:,} baselines ran: {filled:,} lookups filled, {models:,} models"
    return ran + (f"; {failed:,} could not run" if failed else "")
