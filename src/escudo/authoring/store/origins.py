"""What a user names -> a kind of origin, and its files in a folder with what pins them; ``packs``
calls it.

An origin is a git URL, a checkout, an app's archive, or a folder. A repository is pinned by its
commit, the others by a digest of their files.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from escudo.authoring.git import check_argument, export_commit, find_commit, run_git
from escudo.content.apps.app_files import find_apps, is_archive, unpack_into
from escudo.content.roots import FOLDERS, stays_inside
from escudo.core.errors import EscudoError

REPOSITORY = "repository.git"
"""In a pack's folder, what was fetched of its repository."""

_URL = re.compile(r"(?:https?|ssh|git|file)://\S+")
_SCP = re.compile(r"[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:\S+")
_PASSWORD = re.compile(r"://[^/@\s]*:[^/@\s]*@")
_MOST_BYTES = 2 << 30
_MOST_FILES = 100_000
"""Limits of a folder, as of an archive; security_content has some 40 MB in 5,000 files."""


class Kind(StrEnum):
    """How content is brought."""

    GIT = "git"
    ARCHIVE = "archive"
    FOLDER = "folder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where content is from. ``ref`` is the branch, tag or commit that is followed (git), ``path``
    the folder of it that is content."""

    kind: Kind
    source: str
    ref: str = ""
    path: str = ""

    @property
    def usual_name(self) -> str:
        """A pack's name, unless the user gives one.

        >>> Origin(kind=Kind.GIT, source="https://host.example/splunk/security_content.git").usual_name
        'security_content'
        """
        last = re.split(r"[/:]", self.source.rstrip("/"))[-1]
        bare = re.sub(r"(\.git|\.tar\.gz|\.tgz|\.spl)$", "", last, flags=re.IGNORECASE)
        return re.sub(r"[^A-Za-z0-9_.-]+", "_", bare).strip("._-") or "content"


def read_origin(text: str, *, ref: str = "", path: str = "") -> Origin:
    """What a user names as an origin.

    Raises:
        EscudoError: AUT030 for a URL with a password in it, AUT033 for what is none.
    """
    if _PASSWORD.search(text):
        raise EscudoError(
            "AUT030",
            "the URL has a password in it, which would be kept",
            hint="let git ask a credential helper for it",
        )
    place = Path(text)
    if is_url(text):
        source = check_argument(text, "URL")
        return Origin(kind=Kind.GIT, source=source, ref=ref or "HEAD", path=path)
    if not text or not os.path.exists(place):
        raise EscudoError(
            "AUT033",
            f"{text!r} is neither a path nor the URL of a git repository",
            hint="URLs begin with https://, ssh://, git:// or file://; an app is given as a file",
        )
    source = str(place.resolve())
    if is_archive(place):
        return _without_ref(Origin(kind=Kind.ARCHIVE, source=source, path=path), ref)
    if not place.is_dir():
        raise EscudoError("AUT033", f"{text!r} is no folder, and no app (.tar.gz, .tgz, .spl)")
    if is_repository(text):
        return Origin(kind=Kind.GIT, source=source, ref=ref or "HEAD", path=path)
    return _without_ref(Origin(kind=Kind.FOLDER, source=source, path=path), ref)


def is_url(text: str) -> bool:
    """Whether a text is the URL of a git repository, or git's short form of one."""
    return _URL.fullmatch(text) is not None or _SCP.fullmatch(text) is not None


def is_repository(text: str) -> bool:
    """Whether a text names a git repository: a URL, a checkout, a bare one."""
    place = Path(text)
    return is_url(text) or os.path.exists(place / ".git") or _is_bare(place)


def _without_ref(origin: Origin, ref: str) -> Origin:
    if ref:
        raise EscudoError("AUT030", f"{origin.source} is no git repository: it has no {ref!r}")
    return origin


def _is_bare(path: Path) -> bool:
    return all(os.path.exists(path / name) for name in ("HEAD", "objects", "refs"))


def fetch(origin: Origin, pack: Path, target: Path) -> str:
    """Brings the files of an origin into a new folder; what pins them.

    Args:
        pack: the pack's folder, where of a repository what was fetched is kept.
        target: the folder, which is not there yet.

    Raises:
        EscudoError: AUT030, AUT031 for what git says, AUT033 where there is no content, AUT034 and
            CON221 for files that are not taken in, SYS002.
    """
    staged = target.with_name(f"{target.name}.all")
    try:
        pin = _bring(origin, pack, staged)
        chosen = _choose_folder(origin, staged)
        check_tree(chosen)
        if origin.kind is not Kind.GIT:
            pin = digest_tree(chosen)
        chosen.rename(target)
    except OSError as error:
        message = f"{error.filename or target} cannot be written: {error.strerror or error}"
        raise EscudoError("SYS002", message) from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return pin


def _bring(origin: Origin, pack: Path, staged: Path) -> str:
    if origin.kind is Kind.FOLDER:
        _copy_folder(Path(origin.source), staged)
        return ""
    staged.mkdir(parents=True)
    if origin.kind is Kind.ARCHIVE:
        if not Path(origin.source).is_file():
            raise EscudoError("AUT033", f"{origin.source} is gone")
        unpack_into(Path(origin.source), staged)
        return ""
    commit = _fetch_commit(origin, pack / REPOSITORY)
    export_commit(pack / REPOSITORY, commit, staged)
    return commit


def _fetch_commit(origin: Origin, repository: Path) -> str:
    """The commit of a ref, fetched without its history, or with it where the server has it so."""
    if not repository.is_dir():
        run_git("init", "--bare", "--quiet", str(repository))
    ref = check_argument(origin.ref, "name of a branch, tag or commit")
    options = ("--quiet", "--no-tags", "--no-recurse-submodules", "--force")
    try:
        run_git("fetch", *options, "--depth=1", "--", origin.source, ref, folder=repository)
    except EscudoError as error:
        if error.code != "AUT030" or not re.fullmatch(r"[0-9a-f]{4,64}", ref):
            raise
        branches = "+refs/heads/*:refs/heads/*"
        run_git("fetch", *options, "--", origin.source, branches, folder=repository)
        return find_commit(repository, ref)
    return find_commit(repository, "FETCH_HEAD")


def _copy_folder(source: Path, target: Path) -> None:
    """A copy of a folder, links as links; without git's own files.

    Raises:
        EscudoError: AUT034 where it is too large, or has what is no file.
    """
    size = 0
    for count, file in enumerate(_walk(source), 1):
        details = file.lstat()
        if not stat.S_ISREG(details.st_mode) and not stat.S_ISLNK(details.st_mode):
            raise EscudoError("AUT034", f"{file} is neither a file nor a folder")
        size += details.st_size
        if size > _MOST_BYTES or count > _MOST_FILES:
            raise EscudoError("AUT034", f"{source} holds more than content may")
    shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns(".git"))


def _choose_folder(origin: Origin, staged: Path) -> Path:
    """The folder of what was brought that is content: the one that is named, the only one of an
    archive, or all of it."""
    if origin.path:
        chosen = staged / origin.path
        if not stays_inside(chosen, staged) or not chosen.is_dir():
            raise EscudoError("AUT033", f"{origin.source} has no folder {origin.path!r}")
        return chosen
    inner = [p for p in staged.iterdir() if p.is_dir()]
    if origin.kind is Kind.ARCHIVE and len(inner) == 1 and not _is_content(staged):
        return inner[0]
    return staged


def _is_content(folder: Path) -> bool:
    return bool(find_apps(folder)[:1] == (folder,)) or any((folder / n).is_dir() for n in FOLDERS)


def _walk(folder: Path) -> Iterator[Path]:
    """All files and links below a folder, in a fixed order; git's own left out."""
    for place, inner, names in os.walk(folder):
        links = [name for name in inner if Path(place, name).is_symlink()]
        inner[:] = sorted(name for name in inner if name != ".git" and name not in links)
        for name in sorted((*names, *links)):
            if name != ".git":
                yield Path(place, name)


def check_tree(folder: Path) -> None:
    """That no link leads out of a folder.

    Raises:
        EscudoError: AUT034.
    """
    for file in _walk(folder):
        if file.is_symlink() and not stays_inside(file, folder):
            shown = file.relative_to(folder)
            raise EscudoError("AUT034", f"{shown} is a link that leads out of the content")


def digest_tree(folder: Path) -> str:
    """A digest of the names and bytes of all files: SHA-256, in hexadecimal digits."""
    digest = hashlib.sha256()
    for file in _walk(folder):
        name = os.fsencode(file.relative_to(folder))
        data = os.fsencode(os.readlink(file)) if file.is_symlink() else file.read_bytes()
        digest.update(b"%d\0%s\0%d\0" % (file.is_symlink(), name, len(data)))
        digest.update(data)
    return digest.hexdigest()
