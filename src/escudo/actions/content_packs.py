"""Origins of content, a store -> packs that are added, updated, listed, removed, and what an update
would change; called by ``escudo content``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from escudo import content as contents
from escudo.actions.diff import Difference, RowsOf, compare_opened
from escudo.authoring.differences.elements import find_file, list_items
from escudo.authoring.differences.sides import open_folder
from escudo.authoring.store.origins import is_repository, read_origin
from escudo.authoring.store.packs import Pack, Store
from escudo.authoring.store.switches import switch
from escudo.content import Content
from escudo.content.loading import is_builtin
from escudo.core.errors import Diagnostic, EscudoError, Severity

_KINDS = ("detection", "macro", "lookup", "baseline")
"""What makes a folder content."""
_OVERLAY_CODES = ("CON301", "CON302")
"""Local changes that no longer fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackState:
    """A pack and how much is in it; ``errors`` are those of its files."""

    pack: Pack
    detections: int
    enabled: int
    errors: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What the update of a pack brings: None where there is nothing new. ``misfits`` are local
    changes that fitted before and no longer do."""

    before: Pack
    after: Pack
    difference: Difference | None
    misfits: tuple[Diagnostic, ...] = ()
    enabled: tuple[int, int] = (0, 0)
    taken: bool = False


def add_pack(
    store: Store, text: str, *, name: str | None, ref: str, path: str, now: float
) -> PackState:
    """Brings content into the store.

    Raises:
        EscudoError: AUT002 where the name is taken, AUT033 where there is no content; what
            ``fetch`` raises.
    """
    origin = read_origin(text, ref=ref, path=path)
    chosen = name or origin.usual_name
    with store.locked():
        if any(pack.name == chosen for pack in store.list_packs()):
            raise EscudoError(
                "AUT002", f"there is a content pack {chosen!r}", hint="--name gives it another name"
            )
        pack = store.stage(chosen, origin, now)
        try:
            content = _load(pack)
            if not _has_own(content):
                raise EscudoError("AUT033", f"{text} has no detection, macro, lookup or baseline")
        except BaseException:
            store.drop(pack)
            raise
        store.take(pack)
        if pack.overlay.is_dir():  # those of a pack that was removed; now they have an effect
            content = _load(pack)
        return _look_at(pack, content)


def _load(pack: Pack) -> Content:
    return contents.load([pack.content])


def _has_own(content: Content) -> bool:
    files = (find_file(item) for kind, item in list_items(content) if kind in _KINDS)
    return any(file is not None and not is_builtin(file) for file in files)


def _look_at(pack: Pack, content: Content) -> PackState:
    own = [d for d in content.detections if not is_builtin(d.origin.file)]
    return PackState(
        pack=pack,
        detections=len(own),
        enabled=sum(d.enabled for d in own),
        errors=tuple(d for d in content.diagnostics if d.severity is Severity.ERROR),
    )


def list_states(store: Store) -> Sequence[PackState]:
    """All packs, by name."""
    return [_look_at(pack, _load(pack)) for pack in store.list_packs()]


def update_pack(
    store: Store,
    name: str,
    *,
    source: str | None = None,
    ref: str | None = None,
    now: float,
    rows_of: RowsOf | None,
    decide: Callable[[Update], bool],
) -> Update:
    """Fetches a pack anew, shows ``decide`` what that changes, and takes it where that says so.

    Content is compared with its local changes in force, before and after.

    Args:
        source: where it is from now on.
        ref: the branch, tag or commit to follow from now on.
        rows_of: a lake, to count the rows won and lost.

    Raises:
        EscudoError: AUT032; what ``fetch`` raises: then the pack is as it was.
    """
    with store.locked():
        before = store.pack(name)
        known = before.origin
        named = source if source is not None else known.source
        same = ref or (known.ref if source is None or is_repository(named) else "")
        origin = read_origin(named, ref=same, path=known.path)
        after = store.stage(name, origin, now)
        if after.pin == before.pin:
            if origin != known:
                store.take(after)
            return Update(before=before, after=after, difference=None)
        try:
            update = _compare(before, after, rows_of)
            if not decide(update):
                store.drop(after)
                return update
        except BaseException:
            store.drop(after)
            raise
        store.take(after)
        return replace(update, taken=True)


def _compare(before: Pack, after: Pack, rows_of: RowsOf | None) -> Update:
    old = open_folder(before.content, name=f"{before.name} {before.short_pin}")
    new = open_folder(after.content, name=f"{after.name} {after.short_pin}")
    known = {d.message for d in old.content.diagnostics if d.code in _OVERLAY_CODES}
    misfits = [
        d for d in new.content.diagnostics if d.code in _OVERLAY_CODES and d.message not in known
    ]
    sides = (old.content, new.content)
    counts = [sum(d.enabled for d in c.detections if not is_builtin(d.origin.file)) for c in sides]
    return Update(
        before=before,
        after=after,
        difference=compare_opened(old, new, rows_of=rows_of),
        misfits=tuple(misfits),
        enabled=(counts[0], counts[1]),
    )


def remove_pack(store: Store, name: str, *, with_overlay: bool) -> bool:
    """Takes a pack away; whether its local changes stay in the store.

    Raises:
        EscudoError: AUT032.
    """
    with store.locked():
        return store.remove(name, with_overlay=with_overlay)


def switch_detections(store: Store, name: str, detections: Sequence[str], *, on: bool) -> list[str]:
    """Turns detections of a pack on or off, by name or id; their names.

    Raises:
        EscudoError: AUT032; CON205 where the pack has no detection of a name.
    """
    with store.locked():
        pack = store.pack(name)
        content = contents.load([pack.content], builtin=False)
        chosen = list(map(content.detection, detections)) if detections else content.detections
        switch(pack.overlay, chosen, on=on)
    return [d.name for d in chosen]
