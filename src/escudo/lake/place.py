"""Where a lake is -> its storage and its ledger; ``Lake.open`` and the command line call it.

A lake in a folder has its ledger in it. One that machines share, in a bucket or on a mounted disk,
has it in a database of its own: a file of the lake names the ledger by a number that both have, so
that no other one is taken for it.
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from platformdirs import user_data_path

from escudo.core.errors import EscudoError
from escudo.core.places import hide_password
from escudo.lake.ledger import FORMAT, Ledger, Mark
from escudo.storage import Storage, find_scheme, open_storage

LEDGER = "ledger.sqlite"
TABLES = "tables"
REJECTED = "rejected"
SHARED = "lake.json"
"""The file of a shared lake that says which ledger it belongs to."""

IDENTITY = "lake identity"
"""The mark of a ledger that says which lake it is of."""


@dataclass(frozen=True, slots=True)
class SharedLake:
    """A lake whose ledger is elsewhere.

    Args:
        url: a URL (``s3://bucket/path``), or a path.
        ledger: ``postgresql://user@host/name``, or the path of an SQLite file for one machine.

    >>> print(SharedLake("s3://logs/lake", "postgresql://escudo:secret@db/ledger"))
    s3://logs/lake
    """

    url: str
    ledger: str

    def __str__(self) -> str:
        return self.url

    def __repr__(self) -> str:
        return f"SharedLake({self.url!r}, {hide_password(self.ledger)!r})"


LakePlace = Path | SharedLake


def provide_local_folder(place: LakePlace) -> Path:
    """The folder for what belongs to a lake and to this machine alone: certificates, letters that
    no sink took. It is the lake's own, or one among the user's data, which is made."""
    if isinstance(place, Path):
        return place
    name = re.sub(r"[^A-Za-z0-9.-]+", "_", place.url)
    folder = user_data_path("escudo") / "lakes" / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def make_place(lake: str, ledger: str | None) -> LakePlace:
    """The place that ``--lake`` and ``--ledger`` say.

    Raises:
        EscudoError: LAK029 for a lake elsewhere without a ledger, LAK033 for a URL that is none of
            a ledger.

    >>> make_place("logs", None).as_posix()
    'logs'
    """
    storage = open_storage(lake)
    if ledger == "" or find_scheme(ledger or "") not in (None, "postgresql", "postgres"):
        raise EscudoError("LAK033", f"{hide_password(ledger or '')!r} is no ledger")
    if ledger is not None:
        return SharedLake(storage.url, ledger)
    if storage.path is None:
        raise EscudoError("LAK029", f"{storage.url} has no ledger beside it")
    return storage.path


def open_ledger(place: str, *, create: bool) -> Ledger:
    """The ledger at a URL of PostgreSQL, or the path of an SQLite file.

    Raises:
        EscudoError: LAK002 for a file that is not there and shall not be made, LAK033 for what
            cannot be one; else as ``SharedLedger.connect`` and ``Ledger.open``.
    """
    if find_scheme(place) is not None:
        opened: Ledger = import_module("escudo.lake.shared_ledger").SharedLedger.connect(place)
        return opened
    path = Path(place)
    try:
        if path.is_file() and path.stat().st_size:
            return Ledger.open(path)
        if not create:
            raise EscudoError("LAK002", f"there is no ledger {path}")
        path.parent.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise EscudoError("LAK033", f"{place!r} cannot be a ledger") from error
    return Ledger.create(path)


def read_identity(storage: Storage) -> str | None:
    """The number of the lake in a storage; None where nothing is.

    Raises:
        EscudoError: LAK003 where there are tables without what names their ledger, LAK004 for
            another format, LAK030 for a lake that has its ledger beside it.
    """
    there = _read_identity(storage)
    if there is None and storage.path is not None and storage.find(LEDGER) is not None:
        raise EscudoError("LAK030", f"{storage.url} has a ledger of its own")
    if there is None and TABLES in storage.list_folders():
        raise EscudoError("LAK003", f"{storage.url} has tables, but no {SHARED}")
    return there


def join_ledger(storage: Storage, there: str | None, ledger: Ledger, *, create: bool) -> None:
    """Makes sure that a storage and a ledger are of one lake; with ``create`` makes one of two that
    are new.

    Args:
        there: the number in the storage (``read_identity``).

    Raises:
        EscudoError: LAK002 where there is no lake and none shall be made, LAK030 where the ledger
            is that of another lake.
    """
    known = ledger.marks(IDENTITY).get(IDENTITY)
    if there is not None and there == known:
        return
    if there is not None:
        raise EscudoError("LAK030", f"{storage.url} belongs to another ledger than {ledger.name}")
    if known is not None and ledger.head().id:
        raise EscudoError(
            "LAK030", f"{ledger.name} is the ledger of another lake than {storage.url}"
        )
    if not create:
        raise EscudoError("LAK002", f"{storage.url} holds no lake")
    # The ledger first: what dies in between leaves one without commits, which is taken up here.
    identity = known or _name_lake(ledger, storage)
    if not storage.write(SHARED, _write_identity(identity), new=True):
        raise EscudoError("LAK030", f"{storage.url} was made with another ledger meanwhile")


def _name_lake(ledger: Ledger, storage: Storage) -> str:
    """Gives a ledger the number of its lake; that of another process, if it was faster."""
    identity = uuid.uuid4().hex
    try:
        ledger.move_mark(Mark(IDENTITY, None, identity))
    except EscudoError as error:
        if error.code != "LAK020":
            raise
        return ledger.marks(IDENTITY)[IDENTITY]
    return identity


def _write_identity(identity: str) -> bytes:
    return (json.dumps({"format": FORMAT, "lake": identity}) + "\n").encode()


def _read_identity(storage: Storage) -> str | None:
    try:
        told = json.loads(storage.read(SHARED))
        form, identity = told["format"], str(told["lake"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise EscudoError("LAK003", f"{storage.place(SHARED)} is damaged") from error
    if form != FORMAT:
        message = f"{storage.url} has lake format {form}; this Escudo reads {FORMAT}"
        raise EscudoError("LAK004", message)
    return identity
