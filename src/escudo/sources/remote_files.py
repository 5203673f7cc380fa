"""A URL of a storage -> the files there, and copies of them that readers open; ingests by a cluster
call it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from escudo.core.errors import Diagnostic, EscudoError, Severity, Span
from escudo.sources.listing import PASSED_OVER, ListedFile, tell_passed
from escudo.storage import Storage, open_storage


def list_remote(url: str) -> Iterator[ListedFile | Diagnostic]:
    """The files at a URL, or the file itself, in the order in which ``listing.list_files`` has
    those of a folder; none is read.

    Raises:
        EscudoError: STO003, STO004 for a URL that cannot be one of files, STO001, STO002 where its
            storage does not answer or refuses.
    """
    root, key = _split(url)
    url = f"{root.url}/{key}".rstrip("/")
    found = root.find(key) if key else None
    if found is not None:
        name = key.rpartition("/")[2]
        yield ListedFile(Path(name), True, found.size, url=url, modified=found.modified)
        return
    passed: Counter[str] = Counter()
    any_file = False
    for file in _walk(root.below(key) if key else root, passed):
        any_file = True
        yield replace(file, folder=url)
    yield from tell_passed(url, passed)
    if not any_file and not passed:
        span = Span(url, 1, 1, 1, 1)
        yield Diagnostic("SRC001", "no such file or directory", Severity.ERROR, span)


def _walk(storage: Storage, passed: Counter[str]) -> Iterator[ListedFile]:
    """Files first, then folders, each by name, as ``os.walk`` goes."""
    files = sorted(storage.list_files(), key=lambda file: file.name)
    folders = sorted(storage.list_folders())
    names = [*folders, *(file.name for file in files)]
    passed.update(name for name in names if name.lower() in PASSED_OVER)
    for file in files:
        if file.name and file.name.lower() not in PASSED_OVER:
            url = storage.place(file.name)
            path = Path(file.name)
            yield ListedFile(path, False, file.size, url=url, modified=file.modified)
    for name in folders:
        if name.lower() not in PASSED_OVER:
            yield from _walk(storage.below(name), passed)


def fetch_file(file: ListedFile, folder: Path) -> ListedFile:
    """The file itself, or, of one at a URL, its copy in a folder, called as it is there; of a piece
    the copy has no more than that.

    Raises:
        EscudoError: STO001, STO002, STO005 where it cannot be fetched.
    """
    if file.url is None:
        return file
    root, key = _split(file.url)
    piece = file.piece
    try:
        if piece is not None:
            copy = folder / Path(key).name
            folder.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(root.read_range(key, piece.begin, piece.end))
            here = replace(piece, begin=0, end=piece.end - piece.begin)
            return replace(file, path=copy, piece=here)
        copy = root.fetch(key, folder)
    except FileNotFoundError as error:
        raise EscudoError("STO005", f"{file.url} is gone") from error
    return replace(file, path=copy)


def _split(url: str) -> tuple[Storage, str]:
    """The whole storage that a URL is in, and the name there: a log's may have any characters, the
    URL of a lake not."""
    scheme, _, rest = url.partition("://")
    place, _, key = rest.partition("/")
    return open_storage(f"{scheme}://{place}"), key.strip("/")
