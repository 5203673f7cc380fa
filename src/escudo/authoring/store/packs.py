"""A store of content packs: add, list, stage an update, take it, remove; ``actions.content_packs``
calls it.

What is brought is made ready in a folder of its own, and taken by writing ``pack.json``, which is
whole or as before; so whoever loads a pack finds one state of it.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from escudo.authoring.store.origins import REPOSITORY, Kind, Origin, fetch
from escudo.content.packs import CONTENT, OVERLAY, PACK_FILE, find_pack, is_pack_name, read_pack
from escudo.core.errors import EscudoError
from escudo.core.whole_file import write_whole

_LOCK = ".lock"
_INCOMING = ".incoming"
_DRAFTS = ".*.part"
"""What ``write_whole`` leaves of a file where its process is killed."""
_PIN_DIGITS = 12
"""Of a pin, in the name of a folder and on a screen."""
_OWN = re.compile(
    rf"{CONTENT}[0-9a-f]{{{_PIN_DIGITS}}}|{re.escape(_INCOMING)}.*|\..*\.part"
    rf"|{OVERLAY}|{re.escape(PACK_FILE)}|{re.escape(REPOSITORY)}"
)
"""All that is in the folder of a pack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A content pack. ``pin`` is the commit of its content, or the digest of its files."""

    name: str
    folder: Path
    origin: Origin
    pin: str
    added: str
    updated: str

    @property
    def content(self) -> Path:
        return self.folder / f"{CONTENT}{self.pin[:_PIN_DIGITS]}"

    @property
    def overlay(self) -> Path:
        return self.folder / OVERLAY

    @property
    def short_pin(self) -> str:
        return self.pin[:_PIN_DIGITS]


class Store:
    """The packs in a folder. What changes them holds its lock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def locked(self) -> Iterator[None]:
        """The store for this process alone; leftovers of others that have ended are swept.

        Raises:
            EscudoError: AUT035 where another process has it, SYS002 where it cannot be made.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            file = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            message = f"{self.folder} cannot be written: {error.strerror}"
            raise EscudoError("SYS002", message) from error
        try:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise EscudoError("AUT035", f"another process changes {self.folder}") from error
            self._sweep()
            yield
        finally:
            os.close(file)

    def _sweep(self) -> None:
        """Takes away what was made ready and never taken, and content that is not in use; folders
        that hold anything else are not packs, and stay."""
        for folder in self.folder.iterdir():
            if not folder.is_dir() or not all(_OWN.fullmatch(p.name) for p in folder.iterdir()):
                continue
            pack = self._read(folder) if (folder / PACK_FILE).is_file() else None
            for part in folder.iterdir():
                stale = part.name.startswith(CONTENT) and (pack is None or part != pack.content)
                if stale or part.name.startswith(_INCOMING):
                    shutil.rmtree(part, ignore_errors=True)
            for draft in (*folder.glob(_DRAFTS), *folder.glob(f"{OVERLAY}/{_DRAFTS}")):
                draft.unlink(missing_ok=True)
            _clear_unused(folder)

    def _read(self, folder: Path) -> Pack | None:
        try:
            return _parse(folder, read_pack(folder))
        except EscudoError:
            return None

    def list_packs(self) -> Sequence[Pack]:
        """All packs, by name.

        Raises:
            EscudoError: CON231 where what is known of one is damaged.
        """
        if not self.folder.is_dir():
            return ()
        folders = sorted(p for p in self.folder.iterdir() if (p / PACK_FILE).is_file())
        return tuple(_parse(folder, read_pack(folder)) for folder in folders)

    def pack(self, name: str) -> Pack:
        """The pack of a name.

        Raises:
            EscudoError: AUT032, CON231.
        """
        if find_pack(self.folder, name) is None:
            known = ", ".join(pack.name for pack in self.list_packs()) or "none"
            raise EscudoError("AUT032", f"no content pack {name!r}", hint=f"there are: {known}")
        return _parse(self.folder / name, read_pack(self.folder / name))

    def stage(self, name: str, origin: Origin, now: float) -> Pack:
        """Makes the content of an origin ready, and takes nothing; what the pack would be.

        Raises:
            EscudoError: AUT001 for a name that no pack can have; what ``fetch`` raises.
        """
        if not is_pack_name(name):
            raise EscudoError("AUT001", f"{name!r} cannot name a pack", hint="letters, digits, _.-")
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        incoming = folder / _INCOMING
        shutil.rmtree(incoming, ignore_errors=True)
        try:
            pin = fetch(origin, folder, incoming)
        except BaseException:
            shutil.rmtree(incoming, ignore_errors=True)
            _clear_unused(folder)
            raise
        today = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
        pack = Pack(name=name, folder=folder, origin=origin, pin=pin, added=today, updated=today)
        if pack.content.is_dir():
            shutil.rmtree(incoming)
        else:
            incoming.rename(pack.content)
        return pack

    def take(self, pack: Pack) -> None:
        """Makes what was staged the content of its pack; its overlay stays."""
        known = self._read(pack.folder) if (pack.folder / PACK_FILE).is_file() else None
        taken = pack if known is None else replace(pack, added=known.added)
        with write_whole(pack.folder / PACK_FILE) as stream:
            stream.write((json.dumps(_describe(taken), indent=2) + "\n").encode())
        for part in pack.folder.iterdir():
            if part.name.startswith(CONTENT) and part != pack.content:
                shutil.rmtree(part, ignore_errors=True)

    def drop(self, pack: Pack) -> None:
        """Takes away what was staged and is not taken."""
        known = self._read(pack.folder) if (pack.folder / PACK_FILE).is_file() else None
        if known is None or known.pin != pack.pin:
            shutil.rmtree(pack.content, ignore_errors=True)
        _clear_unused(pack.folder)

    def remove(self, name: str, *, with_overlay: bool) -> bool:
        """Takes a pack away; whether its local changes stay, for when it is added again."""
        if not is_pack_name(name) or not (self.folder / name / PACK_FILE).is_file():
            self.pack(name)  # says that there is none
        folder = self.folder / name
        (folder / PACK_FILE).unlink()
        if with_overlay:
            shutil.rmtree(folder / OVERLAY, ignore_errors=True)
        _clear_unused(folder)
        return folder.is_dir()


def _clear_unused(folder: Path) -> None:
    """Of a folder that is no pack leaves the local changes, if there are some, and nothing else."""
    if (folder / PACK_FILE).is_file():
        return
    for part in folder.iterdir():
        if part.name != OVERLAY:
            shutil.rmtree(part, ignore_errors=True)
    if not any(folder.iterdir()):
        folder.rmdir()


def _describe(pack: Pack) -> Mapping[str, Any]:
    return {
        "name": pack.name,
        "kind": pack.origin.kind.value,
        "source": pack.origin.source,
        "ref": pack.origin.ref,
        "path": pack.origin.path,
        "pin": pack.pin,
        "content": pack.content.name,
        "added": pack.added,
        "updated": pack.updated,
    }


def _parse(folder: Path, known: Mapping[str, Any]) -> Pack:
    try:
        return Pack(
            name=folder.name,
            folder=folder,
            origin=Origin(
                kind=Kind(known["kind"]),
                source=str(known["source"]),
                ref=str(known.get("ref", "")),
                path=str(known.get("path", "")),
            ),
            pin=str(known["pin"]),
            added=str(known["added"]),
            updated=str(known["updated"]),
        )
    except (KeyError, ValueError) as error:
        raise EscudoError("CON231", f"{folder / PACK_FILE} lacks {error}") from error
