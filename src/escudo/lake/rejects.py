"""Rejected input of one file -> JSON lines beside the lake's tables; ``ingest`` calls it."""

from __future__ import annotations

import json
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path

from escudo.lake.leftovers import Work
from escudo.sources.reading import Rejected
from escudo.storage import Storage

_FLUSH_LINES = 1000
"""Lines that are held in memory before they are written."""

MOST_BYTES = 64 << 20
"""About as many bytes of one file's rejected input are kept; the rest is counted."""


class Rejects:
    """The rejected input of one file, in a draft among the work of its writer until it is kept.

    >>> from escudo.storage import Folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     rejects = Rejects(Folder(Path(folder)))
    ...     rejects.add(Rejected("a.xml", "line 3", "SRC020", "not well-formed", b"<Even"))
    ...     rejects.keep("4f3a")
    ...     print(Path(folder, "4f3a.jsonl").read_text()[:42])
    {"file": "a.xml", "place": "line 3", "code
    """

    def __init__(self, folder: Storage, work: Work | None = None) -> None:
        self._folder = folder
        drafts = work.folder if work is not None else folder.path or Path(tempfile.gettempdir())
        self._draft = drafts / f"{uuid.uuid4().hex}.draft"
        self._lines: list[str] = []
        self._bytes = 0
        self._left = 0
        self._file = ""

    def add(self, rejected: Rejected) -> None:
        if self._bytes >= MOST_BYTES:
            self._left += 1
            self._file = rejected.source_file
            return
        row = {
            "file": rejected.source_file,
            "place": rejected.place,
            "code": rejected.code,
            "message": rejected.message,
            "excerpt": rejected.excerpt.decode("utf-8", "backslashreplace"),
        }
        self._put(row)
        if len(self._lines) >= _FLUSH_LINES:
            self._flush()

    def keep(self, name: str) -> None:
        """Puts the lines in ``<name>.jsonl``; for use just before their events are committed.

        Beyond ``MOST_BYTES`` the last line says how many inputs are not among them.

        Named after the content of a file, they are not doubled when it is read again.
        """
        if self._left:
            message = f"{self._left:,} more inputs were rejected and are not kept"
            rest = {"place": "the rest", "code": "SRC015", "message": message, "excerpt": ""}
            self._put({"file": self._file, **rest})
        self._flush()
        if self._draft.exists():
            self._folder.take(self._draft, f"{name}.jsonl")

    def _put(self, row: Mapping[str, str]) -> None:
        line = json.dumps(row, ensure_ascii=False) + "\n"
        self._bytes += len(line)
        self._lines.append(line)

    def _flush(self) -> None:
        if self._lines:
            self._draft.parent.mkdir(parents=True, exist_ok=True)
            with self._draft.open("a", encoding="utf-8") as out:
                out.writelines(self._lines)
            self._lines.clear()
