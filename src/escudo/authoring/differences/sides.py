"""A folder, an app, or REF:PATH of a git repository -> content to compare; ``actions.diff`` opens
both sides."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from escudo import content as contents
from escudo.authoring.git import export_commit, find_commit, find_prefix
from escudo.content import Content
from escudo.content.apps.app_files import find_apps, is_archive
from escudo.content.loading import is_builtin
from escudo.content.roots import find_root
from escudo.core.errors import EscudoError

_REF = re.compile(r"(?P<ref>[^:\s]+)(?::(?P<path>.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One state of content.

    ``scope`` is the folder or file whose elements are compared; ``content`` may have more beside
    it, the macros and lookups of the same checkout. ``root`` is what file names are told below.
    """

    name: str
    content: Content
    scope: Path
    root: Path

    def covers(self, file: str | None) -> bool:
        """Whether an element in a file is compared."""
        if file is None:
            return False
        path = Path(file)
        if is_builtin(path):
            return False
        return is_archive(self.scope) or path == self.scope or path.is_relative_to(self.scope)

    def tell(self, file: str) -> str:
        """A file's name as the side has it, whatever temporary folder it is in."""
        path = Path(file)
        if path.is_relative_to(self.root):
            return path.relative_to(self.root).as_posix()
        return path.name if is_archive(self.scope) else file


def open_folder(path: Path, *, name: str | None = None, overlay: Path | None = None) -> Side:
    """The content at a path.

    Raises:
        EscudoError: what ``content.load`` raises.
    """
    root = path if find_apps(path) or is_archive(path) else find_root(path)
    content = contents.load([root], overlay=overlay)
    return Side(name=name or str(path), content=content, scope=path, root=root)


@contextmanager
def open_side(text: str, *, beside: Path) -> Iterator[Side]:
    """A side as it is named on the command line: a path that is there, or REF, or REF:PATH.

    PATH is below the root of the repository, or, beginning with ``.``, below the folder
    ``beside``, which says which repository is meant.

    Raises:
        EscudoError: AUT020 where it is neither; AUT030, AUT031 for what git says; what
            ``content.load`` raises.
    """
    if text and os.path.exists(text):
        yield open_folder(Path(text))
        return
    match = _REF.fullmatch(text)
    if match is None or text.startswith("-"):
        raise EscudoError("AUT020", f"{text!r} is neither a path nor REF:PATH")
    try:
        commit = find_commit(beside, match["ref"])
        prefix = find_prefix(beside)
    except EscudoError as error:
        if error.code != "AUT030":
            raise
        hint = f"no such path, and git: {error.diagnostic.message}"
        raise EscudoError("AUT020", f"{text!r} cannot be read", hint=hint) from error
    with tempfile.TemporaryDirectory(prefix="escudo-side-") as folder:
        export_commit(beside, commit, Path(folder))
        scope = _find_scope(Path(folder).resolve(), match["path"] or ".", prefix)
        if not scope.exists():
            raise EscudoError("AUT020", f"{text!r}: the commit has no such path")
        yield open_folder(scope, name=text)


def _find_scope(root: Path, path: str, prefix: PurePosixPath) -> Path:
    named = PurePosixPath(path)
    below = root / prefix / named if path.startswith(".") else root / named
    scope = below.resolve()
    if not scope.is_relative_to(root):
        raise EscudoError("AUT020", f"{path!r} is outside of the repository")
    return scope
