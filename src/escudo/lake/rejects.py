"""Rejected input of one file -> JSON lines beside the lake's tables; ``ingest`` calls it."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

from escudo.sources.reading import Rejected

_FLUSH_LINES = 1000
"""Lines that are held in memory before they are written."""


class Rejects:
    """The rejected input of one file, in a draft until it is kept.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     rejects = Rejects(Path(folder))
    ...     rejects.add(Rejected("a.xml", "line 3", "SRC020", "not well-formed", b"<Even"))
    ...     rejects.keep("4f3a")
    ...     print(Path(folder, "4f3a.jsonl").read_text()[:42])
    {"file": "a.xml", "place": "line 3", "code
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._draft = folder / f"{uuid.uuid4().hex}.draft"
        self._lines: list[str] = []

    def add(self, rejected: Rejected) -> None:
        row = {
            "file": rejected.source_file,
            "place": rejected.place,
            "code": rejected.code,
            "message": rejected.message,
            "excerpt": rejected.excerpt.decode("utf-8", "backslashreplace"),
        }
        self._lines.append(json.dumps(row, ensure_ascii=False) + "\n")
        if len(self._lines) >= _FLUSH_LINES:
            self._flush()

    def keep(self, name: str) -> None:
        """Puts the lines in ``<name>.jsonl``; for use just before their events are committed.

        Named after the content of a file, they are not doubled when it is read again.
        """
        self._flush()
        if self._draft.exists():
            self._draft.replace(self._folder / f"{name}.jsonl")

    def _flush(self) -> None:
        if self._lines:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._draft.open("a", encoding="utf-8") as out:
                out.writelines(self._lines)
            self._lines.clear()
