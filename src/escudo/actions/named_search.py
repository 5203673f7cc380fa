"""An argument -> the searches that it names: SPL itself, a file of SPL, a YAML element, a folder;
called by the commands that take a search."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from escudo import content as contents
from escudo.content import Content
from escudo.core.errors import EscudoError, Span

_YAML = (".yml", ".yaml")
_Element: TypeAlias = contents.Detection | contents.Baseline | contents.Investigation


@dataclass(frozen=True, slots=True)
class NamedSearch:
    """A search with its name (a detection's, or the file's), and where it stands."""

    name: str
    text: str
    file: str | None = None
    place: Span | None = None


def find_searches(argument: str, content: Content) -> list[NamedSearch]:
    """What an argument of `explain`, `lint` and `format` stands for.

    An existing path is a folder, file or app of content, or a file of SPL; the name of a detection
    is that detection; anything else is SPL.

    Raises:
        EscudoError: CLI006 where a path holds no search, or is no text.
    """
    path = Path(argument)
    if _exists(path):
        if is_content(path):
            named = list(_of_content(contents.load([path], builtin=False)))
            if not named:
                raise EscudoError("CLI006", f"{path} holds no search")
            return named
        try:
            return [NamedSearch(path.name, path.read_text(encoding="utf-8"), str(path))]
        except UnicodeDecodeError:
            raise EscudoError("CLI006", f"{path} is neither SPL nor YAML: no UTF-8") from None
    if path.suffix.lower() in (*_YAML, ".spl") and not any(c in argument for c in "|=`"):
        raise EscudoError("CLI006", f"{path} does not exist")
    detections = [d for d in content.detections if d.name.lower() == argument.strip().lower()]
    return [_of_element(d) for d in detections] or [NamedSearch("<search>", argument)]


def is_content(path: Path) -> bool:
    """Whether a path is a folder, a YAML file or a Splunk app's archive; else it is SPL."""
    if path.is_dir() or path.suffix.lower() in _YAML:
        return True
    return path.is_file() and tarfile.is_tarfile(path)


def find_detection(argument: str, content: Content) -> list[NamedSearch]:
    """A detection by its name or id; what ``find_searches`` finds where it is a path or SPL.

    Raises:
        EscudoError: CON205 where no detection has that name; CLI006.
    """
    if any(c in argument for c in '|=`"') or Path(argument).exists():
        return find_searches(argument, content)
    return [_of_element(content.detection(argument))]


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a search is no legal path: too long, a NUL in it
        return False


def _of_content(content: Content) -> Iterator[NamedSearch]:
    elements: Sequence[_Element] = (
        *content.detections,
        *content.baselines,
        *content.investigations,
    )
    yield from map(_of_element, elements)


def _of_element(element: _Element) -> NamedSearch:
    return NamedSearch(element.name, element.search, element.origin.file, element.origin.search)
