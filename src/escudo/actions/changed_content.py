"""A git checkout of content, a revision -> the detections that a change touches: their own files,
macros and lookups that they use, data of their tests; called by ``escudo test --changed``."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from escudo.authoring.git import check_argument, run_git
from escudo.content import Content, Detection
from escudo.core.errors import EscudoError

_MACRO_USE = re.compile(r"`\s*([\w:.\-]+)")
"""A use of a macro in a search: its name after a backquote."""
_NAMED_BY_FILE = frozenset({".yml", ".yaml", ".csv"})


def list_changed_files(folder: Path, revision: str) -> frozenset[Path]:
    """The files that differ between the working tree and where its branch left a revision,
    untracked ones included; also those that are gone.

    Raises:
        EscudoError: CLI040 where the folder is no git checkout, or the revision is not known.
    """
    place = folder if folder.is_dir() else folder.parent
    try:
        top = Path(run_git("rev-parse", "--show-toplevel", folder=place))
        base = run_git("merge-base", check_argument(revision, "revision"), "HEAD", folder=place)
        changed = run_git("diff", "--name-only", "--no-renames", "-z", base, "--", folder=top)
        added = run_git("ls-files", "--others", "--exclude-standard", "-z", folder=top)
    except EscudoError as error:
        raise EscudoError("CLI040", error.diagnostic.message) from error
    names = [n for n in (changed + added).split("\0") if n]
    return frozenset((top / name).resolve() for name in names)


@dataclass(frozen=True)
class Changes:
    """What changed of some content, by the files that did."""

    content: Content
    files: Collection[Path]

    def keep(self, detections: Iterable[Detection]) -> Iterator[Detection]:
        """The detections that are touched, in their order."""
        return (d for d in detections if self.touches(d))

    def touches(self, detection: Detection) -> bool:
        """Whether a detection, something that its search uses, or data of its tests changed."""
        origin = Path(detection.origin.file)
        return (
            origin.resolve() in self.files
            or any(path in self.files for path in _list_data(detection))
            or self._uses_changed(detection.search)
        )

    def _uses_changed(self, text: str) -> bool:
        """Whether a search uses a macro or a lookup that changed, also inside of macros."""
        seen: set[str] = set()
        waiting = [text]
        while waiting:
            part = waiting.pop()
            if self._lookups and self._lookup_name.search(part):
                return True
            for name in _MACRO_USE.findall(part):
                if name in self._macros:
                    return True
                if name not in seen:
                    seen.add(name)
                    waiting += self._definitions.get(name, ())
        return False

    @cached_property
    def _definitions(self) -> Mapping[str, tuple[str, ...]]:
        out: dict[str, tuple[str, ...]] = {}
        for macro in self.content.macros:
            out[macro.name] = (*out.get(macro.name, ()), macro.definition)
        return out

    @cached_property
    def _macros(self) -> frozenset[str]:
        """The macros of changed files; of a file that is gone, the name that it was called by."""
        here = {
            m.name
            for m in self.content.macros
            if m.span is not None and m.span.file and Path(m.span.file).resolve() in self.files
        }
        return frozenset(here | self._named_by_file("macros"))

    @cached_property
    def _lookups(self) -> frozenset[str]:
        """The lookups whose definition or table changed."""
        here = set()
        for lookup in self.content.lookups:
            files = [lookup.path, lookup.span.file if lookup.span is not None else None]
            if any(f is not None and Path(f).resolve() in self.files for f in files):
                here.add(lookup.name)
        return frozenset(here | self._named_by_file("lookups"))

    def _named_by_file(self, folder: str) -> set[str]:
        """Content's files are called as what they hold (contentctl requires it)."""
        return {
            f.stem for f in self.files if folder in f.parts and f.suffix.lower() in _NAMED_BY_FILE
        }

    @cached_property
    def _lookup_name(self) -> re.Pattern[str]:
        names = "|".join(re.escape(name) for name in sorted(self._lookups))
        return re.compile(rf"(?<![\w.])(?:{names})(?:\.csv)?(?![\w.])")


def _list_data(detection: Detection) -> Iterator[Path]:
    origin = Path(detection.origin.file)
    root = Path(detection.origin.root or origin.parent)
    for test in detection.tests:
        for data in test.attack_data:
            if "://" not in data.data:
                for folder in (origin.parent, root):
                    yield (folder / data.data).resolve()
