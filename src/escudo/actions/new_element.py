"""Kind, name, answers -> an element in a content repository; called by ``escudo new``."""

from __future__ import annotations

import difflib
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from escudo.actions.workspace import Workspace
from escudo.authoring.differences.elements import find_file, list_items
from escudo.authoring.git import run_git
from escudo.authoring.naming import check_detection_name, check_name
from escudo.authoring.new_files import write_files
from escudo.authoring.scaffold.answers import Answers
from escudo.authoring.scaffold.detection_files import drop_filter
from escudo.authoring.scaffold.element_files import build_element
from escudo.authoring.scaffold.new_file import Identity, NewFile
from escudo.authoring.yaml_text import read_values
from escudo.content import Content
from escudo.content.elements.data_source import split_names
from escudo.content.elements.detection import DEFAULT_LABEL
from escudo.content.elements.naming import name_filter
from escudo.content.loading import is_builtin
from escudo.content.roots import CONFIG
from escudo.core.errors import EscudoError
from escudo.engines.execute import run_search


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
    with suppress(EscudoError):  # git is not there, or has no name
        if author := run_git("config", "user.name", folder=root):
            return author
    raise EscudoError(
        "AUT003",
        "the element has no author",
        hint=f"give --author, or app.author_name in {CONFIG}",
    )


def _refuse_known(kind: str, name: str, content: Content) -> None:
    """An element of the same kind and name that the content has, in whatever folder; Escudo's own
    are below it, and may be defined anew."""
    for item_kind, item in list_items(content):
        if item_kind.replace(" ", "_") != kind or item.name.lower() != name.lower():
            continue
        file = find_file(item)
        if file is None or not is_builtin(file):
            raise EscudoError("AUT002", f"{item_kind} {item.name!r} is there already: {file}")


def _check_references(kind: str, answers: Answers, content: Content) -> None:
    """That what an element names is there: its stories, data sources, detections."""
    stories = [s.name for s in content.stories]
    _check_known("--story", answers.get("story", ()), stories)
    if kind == "detection":
        named = [n for s in answers.get("data_source", ()) for n in split_names(s)]
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
