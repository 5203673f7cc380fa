"""Folders of content files -> typed elements, and all that is wrong; ``collection`` calls it."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from escudo.content.element_files import ElementFile
from escudo.content.elements.common import Origin
from escudo.content.elements.data_source import DataSource, read_data_source
from escudo.content.elements.deployment import Deployment, read_deployment
from escudo.content.elements.detection import DEFAULT_LABEL, Detection, read_detection
from escudo.content.elements.detection import TYPES as DETECTION_TYPES
from escudo.content.elements.lookup import read_lookup
from escudo.content.elements.macro import read_macro
from escudo.content.elements.searches import (
    Baseline,
    Investigation,
    read_baseline,
    read_investigation,
)
from escudo.content.elements.story import Story, read_story
from escudo.content.reading import Problems, Section, read_document
from escudo.content.roots import CONFIG, FOLDERS, find_root, stays_inside
from escudo.core.catalog import Lookup, Macro
from escudo.core.errors import Diagnostic, EscudoError, Severity, Span
from escudo.core.field_rules import EventsOf, FieldRule

BUILTIN = "builtin"
BUILTIN_FOLDER = Path(__file__).parent / "builtin"
_SEARCHES = frozenset({"detection", "baseline", "investigation"})
_SUFFIXES = frozenset({".yml", ".yaml"})


def is_builtin(file: str | Path) -> bool:
    """Whether a file is of Escudo's own content, which lies below all other."""
    return Path(file).is_relative_to(BUILTIN_FOLDER)


@dataclass
class Layer:
    """What one content path gives, by kind and then by name; ``csv`` is file name -> path."""

    name: str
    detections: dict[str, Detection] = field(default_factory=dict)
    macros: dict[tuple[str, int], Macro] = field(default_factory=dict)
    lookups: dict[str, Lookup] = field(default_factory=dict)
    stories: dict[str, Story] = field(default_factory=dict)
    baselines: dict[str, Baseline] = field(default_factory=dict)
    investigations: dict[str, Investigation] = field(default_factory=dict)
    deployments: dict[str, Deployment] = field(default_factory=dict)
    data_sources: dict[str, DataSource] = field(default_factory=dict)
    csv: dict[str, str] = field(default_factory=dict)
    field_rules: dict[tuple[EventsOf, tuple[str, int]], FieldRule] = field(default_factory=dict)
    eventtypes: dict[str, str] = field(default_factory=dict)
    tags: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    files: int = 0
    failed_files: int = 0


Keep = Callable[[ElementFile], None]
"""Is given each file that is the file of an element."""


def load_layer(
    path: Path,
    name: str | None = None,
    *,
    skip: Collection[Path] = (),
    strict: bool = False,
    keep: Keep | None = None,
) -> Layer:
    """One content path: a checkout, a folder of YAML files, or a single file.

    A checkout is known by its folders (``detections``, ``macros``, ...), which alone are read; of
    any other folder all YAML files are read, each for what its keys say it is. A file with an
    error is left out and its errors are in ``diagnostics``. Files in ``skip`` are not read. With
    ``strict`` a key that is not known is such an error. ``keep`` is given each file of an element,
    also one that is left out.

    Raises:
        EscudoError: CON001 where the path does not exist.
    """
    if not path.exists():
        raise EscudoError("CON001", f"{path} does not exist")
    layer = Layer(name or str(path))
    root = find_root(path)
    config = root / CONFIG
    label = _read_label(layer, config) if config.is_file() else DEFAULT_LABEL
    for file, kind in _content_files(path):
        if file in skip or file == config:
            continue
        if not stays_inside(file, root):
            layer.files += 1
            layer.failed_files += 1
            layer.diagnostics.append(_outside(file, root))
        elif file.suffix.lower() == ".csv":
            layer.csv.setdefault(file.name, str(file))
        else:
            _read_file(layer, file, kind, _Place(label, root, strict, keep))
    return layer


@dataclass(frozen=True, slots=True)
class _Place:
    """What the elements of a content path have in common."""

    label: str
    root: Path
    strict: bool
    keep: Keep | None = None


def _outside(file: Path, root: Path) -> Diagnostic:
    message = f"{file} is a link that leads out of {root}; it is not read"
    return Diagnostic("CON211", message, span=_top(str(file)))


def yaml_files(path: Path) -> Iterator[Path]:
    """The YAML files of a content path that lie in it, links resolved."""
    root = find_root(path)
    for file, _ in _content_files(path):
        if file.suffix.lower() in _SUFFIXES and stays_inside(file, root):
            yield file


def read_text(file: Path) -> tuple[str, Diagnostic | None]:
    """The text of a file, or why it cannot be read."""
    try:
        return file.read_text(encoding="utf-8-sig"), None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        return "", Diagnostic("CON002", f"cannot read {file}: {reason}", span=_top(str(file)))


def _top(file: str) -> Span:
    return Span(file, 1, 1, 1, 1)


def _read_label(layer: Layer, config: Path) -> str:
    """The app label of a checkout (contentctl.yml): the first part of its saved searches' names.

    Nothing else of the file is read; what is wrong with it goes to the layer's diagnostics, and
    only then it counts among the files.
    """
    source, wrong = read_text(config)
    if not stays_inside(config, config.parent):
        wrong = _outside(config, config.parent)
    node, problems = read_document(str(config), source)
    app = Section(node, problems).section("app") if node is not None else None
    label = app.text("label", "").strip() if app is not None else ""
    failed = wrong is not None or problems.failed
    layer.diagnostics += problems.found if wrong is None else [wrong]
    layer.files += failed
    layer.failed_files += failed
    return DEFAULT_LABEL if failed or not label else label


def _content_files(path: Path) -> Iterator[tuple[Path, str | None]]:
    """The files of a content path in a fixed order, with the kind that their folder gives."""
    if path.is_file():
        yield path, None
        return
    folders = [path / name for name in FOLDERS if (path / name).is_dir()]
    for folder in folders or [path]:
        kind = FOLDERS.get(folder.name) if folders else None
        for place, inner, names in os.walk(folder):
            inner[:] = sorted(n for n in inner if not n.startswith("."))
            for name in sorted(names):
                suffix = os.path.splitext(name)[1].lower()
                if suffix in _SUFFIXES or suffix == ".csv":
                    yield Path(place, name), kind


def _read_file(layer: Layer, file: Path, kind: str | None, place: _Place) -> None:
    layer.files += 1
    source, unreadable = read_text(file)
    if unreadable is not None:
        layer.diagnostics.append(unreadable)
        layer.failed_files += 1
        return
    node, problems = read_document(str(file), source, strict=place.strict)
    if node is not None:
        _read_element(layer, file, node, problems, kind, place)
    elif not problems.found:
        problems.add("CON107", "the file is empty", _top(str(file)), severity=Severity.WARNING)
    layer.diagnostics += problems.found
    layer.failed_files += problems.failed


def _kind(section: Section, folder_kind: str | None) -> str | None:
    """What a file is, by its keys; which kind of search it has, its folder says if it is one of
    a checkout's."""
    by_keys = _kind_by_keys(section)
    if folder_kind is None or (by_keys in _SEARCHES) != (folder_kind in _SEARCHES):
        return by_keys or folder_kind
    return folder_kind


def _kind_by_keys(section: Section) -> str | None:
    kind = section.text("type", "").strip().lower() if section.has("type") else ""
    if section.has("search"):
        if kind in ("baseline", "investigation"):
            return kind
        if not kind and section.has("custom_schedule"):
            return "baseline"
        return "detection"
    if section.has("definition"):
        return "macro"
    if section.has("narrative"):
        return "story"
    if section.has("scheduling"):
        return "deployment"
    if section.has("sourcetype") or section.has("supported_TA"):
        return "data source"
    if section.has("filename") or section.has("collection") or section.has("lookup_type"):
        return "lookup"
    return None


def _read_element(
    layer: Layer, file: Path, node: yaml.Node, problems: Problems, kind: str | None, place: _Place
) -> None:
    section = Section(node, problems)
    found_kind = _kind(section, kind) if isinstance(node, yaml.MappingNode) else None
    if place.keep is not None and found_kind is not None:
        label, root = place.label, str(place.root)
        place.keep(ElementFile(str(file), found_kind, node, problems.source, root, label))
    if problems.failed:
        return
    if found_kind is None:
        problems.add(
            "CON107",
            "the keys of this file are those of no content element",
            _top(str(file)),
            f"a detection is of type {', '.join(DETECTION_TYPES)} and has a search",
            Severity.WARNING,
        )
        return
    origin = Origin(
        str(file),
        layer.name,
        section.span_of("search") if section.has("search") else None,
        str(place.root),
    )
    target, key, element = _build(layer, section, found_kind, origin, place, file)
    if problems.failed:
        return
    if key in target:
        problems.add(
            "CON201",
            f"{found_kind} {section.text('name')!r} is defined twice in {layer.name}",
            section.span_of("name"),
            "the first one is used",
        )
        return
    target[key] = element


def _build(
    layer: Layer, section: Section, kind: str, origin: Origin, place: _Place, file: Path
) -> tuple[dict[Any, Any], Any, Any]:
    """The element, its key and the table of the layer that it belongs in."""
    if kind == "detection":
        detection = read_detection(section, origin, place.label)
        for other in layer.detections.values():
            if other.id == detection.id and other.name != detection.name:
                section.problem("CON201", f"id {detection.id} is also that of {other.name!r}", "id")
        return layer.detections, detection.name.lower(), detection
    if kind == "macro":
        macro = read_macro(section)
        return layer.macros, (macro.name, len(macro.arguments)), macro
    if kind == "lookup":
        lookup = read_lookup(section, file, place.root)
        return layer.lookups, lookup.name, lookup
    table, read = _readers(layer)[kind]
    element = read(section, origin)
    key = element.type if isinstance(element, Deployment) else element.name.lower()
    return table, key, element


def _readers(
    layer: Layer,
) -> Mapping[str, tuple[dict[str, Any], Callable[[Section, Origin], Any]]]:
    return {
        "story": (layer.stories, read_story),
        "baseline": (layer.baselines, read_baseline),
        "investigation": (layer.investigations, read_investigation),
        "deployment": (layer.deployments, read_deployment),
        "data source": (layer.data_sources, read_data_source),
    }


def merge(layers: Sequence[Layer]) -> Layer:
    """All layers as one: what a later one defines replaces what an earlier one does.

    A detection also replaces an earlier one with the same id, whatever its name.
    """
    out = Layer("all")
    for layer in layers:
        ids = {d.id for d in layer.detections.values()}
        out.detections = {k: d for k, d in out.detections.items() if d.id not in ids}
        out.detections.update(layer.detections)
        out.macros.update(layer.macros)
        out.lookups.update(layer.lookups)
        out.stories.update(layer.stories)
        out.baselines.update(layer.baselines)
        out.investigations.update(layer.investigations)
        out.deployments.update(layer.deployments)
        out.data_sources.update(layer.data_sources)
        out.csv.update(layer.csv)
        out.field_rules.update(layer.field_rules)
        out.eventtypes.update(layer.eventtypes)
        out.tags.update(layer.tags)
        out.diagnostics += layer.diagnostics
        out.files += layer.files
        out.failed_files += layer.failed_files
    return out
