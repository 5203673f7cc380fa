"""A folder -> a content repository in it; called by ``escudo init``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from escudo.authoring.new_files import write_files
from escudo.authoring.scaffold.repository import RepositoryOptions, build_repository


def init_repository(folder: Path, options: RepositoryOptions, *, now: float) -> Sequence[Path]:
    """Writes the files of a repository; those that it wrote.

    Raises:
        EscudoError: AUT002 where one of them is there already (none is written then), AUT001 and
            AUT004 for options that do not fit, SYS002 where a file cannot be written.
    """
    made = build_repository(options, datetime.fromtimestamp(now, UTC).date())
    return write_files(folder, made)
