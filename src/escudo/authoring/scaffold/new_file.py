"""The keys of an element -> the file that it is written as; what builds elements calls it, and
``new_files`` writes it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath
from typing import Any

from escudo.authoring.yaml_text import write_yaml


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file below the root of a repository. A ``kept`` one stays as it is where there is one."""

    path: PurePosixPath
    data: bytes
    kept: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What every element has: a name, an id, a day, an author."""

    name: str
    author: str
    today: date
    id: uuid.UUID

    def head(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "id": str(self.id),
            "version": 1,
            "date": self.today.isoformat(),
            "author": self.author,
        }


def make_yaml_file(path: str, values: Mapping[str, Any], *, kept: bool = False) -> NewFile:
    """A file with these keys in their order."""
    return NewFile(PurePosixPath(path), write_yaml(values).encode(), kept)
