"""A folder -> a content repository in it; called by ``escudo init``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from escudo.authoring.apps.identity import AppIdentity
from escudo.authoring.new_files import write_files
from escudo.authoring.scaffold.repository import build_repository


def init_repository(
    folder: Path, app: AppIdentity, *, ci: Sequence[str], now: float
) -> Sequence[Path]:
    """Writes the files of the repository of an app; those that it wrote.

    Args:
        ci: the systems that are to have a workflow (``repository.CI_SYSTEMS``).

    Raises:
        EscudoError: AUT002 where one of them is there already (none is written then), AUT012 for
            what no app can be called, SYS002 where a file cannot be written.
    """
    made = build_repository(app, ci, datetime.fromtimestamp(now, UTC).date())
    return write_files(folder, made)
