"""The searches that an argument names: SPL itself, a file of SPL, a YAML element, a folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from escudo import content as contents
from escudo.content import Content
from escudo.core.errors import EscudoError, Span

_YAML = (".yml", ".yaml")


@dataclass(frozen=True, slots=True)
class NamedSearch:
    """A search with its name (a detection's, or the file's), and where it stands."""

    name: str
    text: str
    file: str | None = None
    place: Span | None = None


def searches(argument: str, content: Content) -> list[NamedSearch]:
    """What an argument of `explain`, `lint` and `format` stands for.

    ``-`` is SPL on standard input; an existing path is a folder or file of content, or a file of
    SPL; the name of a detection is that detection; anything else is SPL.

    Raises:
        EscudoError: CLI006 where a path holds no search.
    """
    if argument == "-":
        return [NamedSearch("<stdin>", sys.stdin.read())]
    path = Path(argument)
    if _exists(path):
        if path.is_dir() or path.suffix.lower() in _YAML:
            found = list(_of_content(contents.load([path], builtin=False)))
            if not found:
                raise EscudoError("CLI006", f"{path} holds no search")
            return found
        return [NamedSearch(path.name, path.read_text(encoding="utf-8"), str(path))]
    if path.suffix.lower() in (*_YAML, ".spl") and not any(c in argument for c in "|=`"):
        raise EscudoError("CLI006", f"{path} does not exist")
    named = [d for d in content.detections if d.name.lower() == argument.strip().lower()]
    if named:
        return [NamedSearch(d.name, d.search, d.origin.file, d.origin.search) for d in named]
    return [NamedSearch("<search>", argument)]


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a search is no legal path: too long, a NUL in it
        return False


def _of_content(content: Content) -> Iterator[NamedSearch]:
    elements: Sequence[contents.Detection | contents.Baseline | contents.Investigation] = (
        *content.detections,
        *content.baselines,
        *content.investigations,
    )
    for element in elements:
        yield NamedSearch(element.name, element.search, element.origin.file, element.origin.search)
