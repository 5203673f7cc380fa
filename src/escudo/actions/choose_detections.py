"""Arguments (files, folders, names), content -> the detections that are meant; called by
``escudo test``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from escudo.content import Content, Detection
from escudo.content.loading import BUILTIN
from escudo.content.roots import FOLDERS, find_root
from escudo.content.starter_packs import resolve_pack
from escudo.core.errors import EscudoError

_PATTERN = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Chosen:
    """What arguments stand for: paths that are there, and names; and the content to load."""

    paths: tuple[Path, ...]
    names: tuple[str, ...]
    content: tuple[Path, ...]


def sort_arguments(arguments: Sequence[str], content: Sequence[Path]) -> Chosen:
    """Tells paths from names. Of a path in a checkout all of the checkout is content, since its
    searches name macros and lookups of other folders.

    Without arguments and without content, a checkout that one is in is meant.

    Raises:
        EscudoError: CLI006 for a file that is not there.
    """
    if not arguments and not content:
        here = Path()
        if not any((here / folder).is_dir() for folder in FOLDERS):
            raise EscudoError(
                "CLI006",
                "no content to test",
                hint="name files, folders or detections, or give --content",
            )
        return Chosen((), (), (here,))
    arguments = [resolve_pack(a) for a in arguments]
    paths = [p for p in map(Path, arguments) if _exists(p)]
    names = [a for a in arguments if not _exists(Path(a))]
    for name in names:
        if Path(name).suffix.lower() in (".yml", ".yaml") and not _PATTERN.intersection(name):
            raise EscudoError("CLI006", f"{name} does not exist")
    roots = dict.fromkeys(_find_content(path) for path in paths)
    given = [*content, *(r for r in roots if r not in content)]
    return Chosen(tuple(paths), tuple(names), tuple(given))


def choose_detections(chosen: Chosen, content: Content) -> list[Detection]:
    """The detections that are meant, in the order of their names.

    A name is that of a detection, its id, the name of its file, or a pattern of these (``*wmi*``).
    Escudo's own are meant only where they are named, or where no content is given.

    Raises:
        EscudoError: CON205 where a name is none's, CLI006 where a path holds none.
    """
    if not chosen.paths and not chosen.names:
        own = not chosen.content
        return [d for d in content.detections if own or d.origin.layer != BUILTIN]
    ids: set[str] = set()
    for path in chosen.paths:
        inside = [d.id for d in content.detections if _lies_in(d, path)]
        if not inside:
            raise EscudoError("CLI006", f"{path} holds no detection that could be loaded")
        ids.update(inside)
    for name in chosen.names:
        ids.update(_find_named(name, content))
    return [d for d in content.detections if d.id in ids]


def _find_named(name: str, content: Content) -> Iterator[str]:
    if not _PATTERN.intersection(name):
        stem = [d.id for d in content.detections if Path(d.origin.file).stem == name]
        yield from stem or [content.detection(name).id]
        return
    pattern = name.lower()
    matched = [
        d.id
        for d in content.detections
        if fnmatchcase(d.name.lower(), pattern)
        or fnmatchcase(Path(d.origin.file).name.lower(), pattern)
        or fnmatchcase(Path(d.origin.file).as_posix().lower(), pattern)
    ]
    if not matched:
        raise EscudoError("CON205", f"no detection is named like {name!r}")
    yield from matched


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _find_content(path: Path) -> Path:
    """What has to be loaded for a path: its checkout, or the path itself."""
    root = find_root(path)
    in_checkout = any((root / folder).is_dir() for folder in FOLDERS)
    return root if in_checkout else path


def _lies_in(detection: Detection, path: Path) -> bool:
    file = Path(detection.origin.file)
    try:
        return file.resolve().is_relative_to(path.resolve())
    except OSError:
        return False
