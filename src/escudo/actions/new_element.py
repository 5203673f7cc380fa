"""Kind, name, answers -> an element in a content repository; called by ``escudo new``."""

from __future__ import annotations

import difflib
import subprocess
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from escudo.actions.workspace import Workspace
from escudo.authoring.naming import check_detection_name, check_name, name_filter
from escudo.authoring.new_files import write_files
from escudo.authoring.scaffold.element_files import (
    Answers,
    Identity,
    NewFile,
    build_element,
    drop_filter,
)
from escudo.authoring.yaml_text import read_values
from escudo.content import Content
from escudo.content.elements.detection import DEFAULT_LABEL
from escudo.content.roots import CONFIG
from escudo.core.errors import EscudoError
from escudo.engines.execute import run_search

_GIT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class NewElement:
    """The files of a new element; ``written`` are those that were not there."""

    files: tuple[NewFile, ...]
    written: tuple[Path, ...] = ()


def make_element(
    kind: str, name: str, answers: Answers, *, workspace: Workspace, root: Path, write: bool = True
) -> NewElement:
    """An element in the repository at ``root``, whose content the workspace has.

    Without ``write`` nothing is written.

    Raises:
        EscudoError: AUT001 to AUT006 for a name or an answer that does not fit; what the search of
            a detection or baseline raises; SYS002 where a file cannot be written.
    """
    label = str(_read_app(root).get("label") or DEFAULT_LABEL)
    bare = check_detection_name(name, label) if kind == "detection" else check_name(name)
    _refuse_known(kind, bare, workspace.content)
    _check_references(kind, answers, workspace.content)
    today = datetime.fromtimestamp(workspace.now, UTC).date()
    author = str(answers.get("author") or "") or find_author(root)
    identity = Identity(name=bare, author=author, today=today, id=uuid.uuid4())
    fields: tuple[str, ...] = ()
    if kind == "detection":
        fields = _find_fields(drop_filter(answers["search"], name_filter(bare)), workspace)
    elif kind == "baseline":
        _find_fields(answers["search"], workspace)
    files = build_element(kind, identity, answers, fields)
    return NewElement(files, tuple(write_files(root, files)) if write else ())


def _read_app(root: Path) -> dict[str, object]:
    app = read_values(root / CONFIG).get("app")
    return app if isinstance(app, dict) else {}


def find_author(root: Path) -> str:
    """The author that ``contentctl.yml`` names, or git's.

    Raises:
        EscudoError: AUT003 where neither says one.
    """
    named = _read_app(root).get("author_name")
    if named:
        return str(named)
    try:
        asked = subprocess.run(
            ["git", "-C", str(root), "config", "user.name"],
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        asked = None
    author = asked.stdout.strip() if asked is not None else ""
    if not author:
        raise EscudoError(
            "AUT003",
            "the element has no author",
            hint=f"give --author, or app.author_name in {CONFIG}",
        )
    return author


def _refuse_known(kind: str, name: str, content: Content) -> None:
    """An element of the same kind and name that the content has, in whatever folder."""
    taken: dict[str, list[tuple[str, str | None]]] = {
        "detection": [(d.name, d.origin.file) for d in content.detections],
        "macro": [(m.name, m.span.file if m.span else None) for m in content.macros],
        "lookup": [(k.name, k.span.file if k.span else None) for k in content.lookups],
        "story": [(s.name, s.origin.file) for s in content.stories],
        "baseline": [(b.name, b.origin.file) for b in content.baselines],
        "data_source": [(s.name, s.origin.file) for s in content.data_sources],
    }
    for known, file in taken[kind]:
        if known.lower() == name.lower():
            raise EscudoError("AUT002", f"{kind} {known!r} is there already: {file}")


def _check_references(kind: str, answers: Answers, content: Content) -> None:
    """That what an element names is there: its stories, data sources, detections."""
    stories = [s.name for s in content.stories]
    _check_known("--story", answers.get("story", ()), stories)
    if kind == "detection":
        named = [n.strip() for s in answers.get("data_source", ()) for n in s.split(" AND ")]
        _check_known("--data-source", named, [s.name for s in content.data_sources])
    if kind == "baseline":
        detections = [d.name for d in content.detections]
        _check_known("--detection", answers.get("detection", ()), detections)


def _check_known(option: str, named: Iterable[str], known: Sequence[str]) -> None:
    for name in named:
        if name not in known:
            near = difflib.get_close_matches(name, known, 3)
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else None
            raise EscudoError("AUT005", f"{option}: the content has no {name!r}", hint=hint)


def _find_fields(search: str, workspace: Workspace) -> tuple[str, ...]:
    """The fields of a search's rows; none where they depend on the events.

    Raises:
        EscudoError: why the search cannot be run.
    """
    snapshot = workspace.lake.snapshot()
    result = run_search(
        search,
        workspace.engine_of(snapshot),
        snapshot,
        workspace.knowledge,
        now=workspace.now,
    )
    if result.compiled.rest is not None:
        return ()
    return tuple(n for n in result.table.column_names if not n.startswith("_"))
