"""An argument -> the searches that it names: SPL itself, a file of SPL, a YAML element, a folder;
called by the commands that take a search."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from escudo import content as contents
from escudo.content import Content
from escudo.content.positions import relocate
from escudo.core.errors import Diagnostic, EscudoError, Span

_YAML = (".yml", ".yaml")
_Element: TypeAlias = contents.Detection | contents.Baseline | contents.Investigation


@dataclass(frozen=True, slots=True)
class NamedSearch:
    """A search with its name (a detection's, or the file's), and where it stands."""

    name: str
    text: str
    file: str | None = None
    place: Span | None = None
    enabled: bool = True
    """False: the content turns it off, so that a hunt leaves it out."""


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


def list_content(arguments: Sequence[str]) -> list[Path]:
    """Those of some arguments that are content: their searches may name what is defined there."""
    return [path for path in map(Path, arguments) if _exists(path) and is_content(path)]


def find_detection(argument: str, content: Content) -> list[NamedSearch]:
    """A detection by its name or id; what ``find_searches`` finds where it is a path or SPL.

    Raises:
        EscudoError: CON205 where no detection has that name; CLI006.
    """
    if any(c in argument for c in '|=`"') or Path(argument).exists():
        return find_searches(argument, content)
    return [_of_element(content.detection(argument))]


def point_into_file(diagnostic: Diagnostic, search: NamedSearch) -> Diagnostic:
    """What is said of a search, pointing into the YAML or .conf file that holds it."""
    shown = replace(diagnostic, source=diagnostic.source or search.text)
    return relocate(shown, search.text) if search.place is not None else shown


@contextmanager
def errors_in_file(search: NamedSearch) -> Iterator[None]:
    """Has the errors about a search point into the file that holds it."""
    try:
        yield
    except EscudoError as error:
        told = point_into_file(error.diagnostic, search)
        raise EscudoError(
            told.code, told.message, span=told.span, hint=told.hint, source=told.source
        ) from error


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a search is no legal path: too long, a NUL in it
        return False


def _of_content(content: Content) -> Iterator[NamedSearch]:
    elements: Sequence[_Element] = (
        *content.detections,
        *content.baselines,
        *content.investigations,
    )
    yield from map(_of_element, elements)


def _of_element(element: _Element) -> NamedSearch:
    enabled = not isinstance(element, contents.Detection) or element.enabled
    origin = element.origin
    return NamedSearch(element.name, element.search, origin.file, origin.search, enabled)
