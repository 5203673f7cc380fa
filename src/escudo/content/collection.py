"""Folders -> all loaded content, Escudo's own below; every use case begins with it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from escudo.content.apps.app_files import find_apps, is_archive, unpack_archive
from escudo.content.apps.app_layer import load_app
from escudo.content.elements.data_source import DataSource
from escudo.content.elements.deployment import Deployment
from escudo.content.elements.detection import Detection
from escudo.content.elements.searches import Baseline, Investigation
from escudo.content.elements.story import Story
from escudo.content.knowledge import ContentKnowledge
from escudo.content.loading import BUILTIN, BUILTIN_FOLDER, Keep, Layer, load_layer, merge
from escudo.content.overlay import apply_overlay, load_overlay
from escudo.content.packs import find_overlay
from escudo.core.catalog import Lookup, Macro
from escudo.core.errors import Diagnostic, EscudoError
from escudo.core.field_rules import NO_RULES, FieldRules
from escudo.core.places import refuse_url

_ORIGINS = {
    name: re.compile(rf"(?<![\w.]){name}\s*=\s*(?:\"([^\"]+)\"|([^\s()\"]+))", re.IGNORECASE)
    for name in ("index", "source", "sourcetype")
}
"""How a macro says which events it means."""


@dataclass(frozen=True)
class Content:
    """Everything that the content paths give, later ones over earlier ones.

    ``diagnostics`` has what was wrong in files and overlays; a file with an error is left out and
    is counted in ``failed_files``.
    """

    detections: tuple[Detection, ...]
    macros: tuple[Macro, ...]
    lookups: tuple[Lookup, ...]
    stories: tuple[Story, ...]
    baselines: tuple[Baseline, ...]
    investigations: tuple[Investigation, ...]
    deployments: Mapping[str, Deployment]
    data_sources: tuple[DataSource, ...]
    diagnostics: tuple[Diagnostic, ...]
    files: int
    failed_files: int
    field_rules: FieldRules = NO_RULES
    """Search-time fields of events, from Splunk apps."""
    kept: tuple[object, ...] = ()
    """What has to live as long as the content: the folders that archives are unpacked in."""

    @cached_property
    def knowledge(self) -> ContentKnowledge:
        """Macros, lookups and saved searches for ``spl``."""
        lookups = {lookup.name: lookup for lookup in self.lookups}
        for lookup in self.lookups:
            if lookup.path is not None:
                lookups.setdefault(Path(lookup.path).name, lookup)
        searches = {b.name: b.search for b in self.baselines}
        searches.update((i.name, i.search) for i in self.investigations)
        for detection in self.detections:
            searches[detection.name] = searches[detection.search_name] = detection.search
        return ContentKnowledge(
            {(m.name, len(m.arguments)): m for m in self.macros},
            lookups,
            searches,
            [*searches.values(), *(d.search for x in self.detections for d in x.drilldowns)],
            field_rules=self.field_rules,
            origins={name: frozenset(self._origins(name)) for name in _ORIGINS},
            kept=self.kept,
        )

    def _origins(self, name: str) -> Iterator[str]:
        """What data sources, macros and settings of apps say of a source, source type or index."""
        for source in self.data_sources:
            if name == "source":
                yield source.source
            elif name == "sourcetype":
                yield source.sourcetype
        for macro in self.macros:
            for found in _ORIGINS[name].finditer(macro.definition):
                yield found[1] or found[2]
        for rule in self.field_rules.rules:
            if rule.events.kind.name.lower() == name and rule.events.pattern is None:
                yield rule.events.name

    def detection(self, name: str) -> Detection:
        """A detection by its name (in any case) or its id.

        Raises:
            EscudoError: CON205, with the nearest names.
        """
        wanted = name.strip().lower()
        for detection in self.detections:
            if wanted in (
                detection.name.lower(),
                detection.id.lower(),
                detection.search_name.lower(),
            ):
                return detection
        near = difflib.get_close_matches(wanted, [d.name.lower() for d in self.detections], 3)
        names = [d.name for d in self.detections if d.name.lower() in near]
        raise EscudoError(
            "CON205",
            f"no detection is named {name!r}",
            hint=f"did you mean {' or '.join(map(repr, names))}?" if names else None,
        )

    def story(self, name: str) -> Story | None:
        """A story by its name, in any case."""
        return next((s for s in self.stories if s.name.lower() == name.lower()), None)


def load(
    paths: Sequence[Path | str] = (),
    *,
    overlay: Path | None = None,
    builtin: bool = True,
    keep: Keep | None = None,
) -> Content:
    """Load content from folders or files, over Escudo's own.

    Each path is a security_content checkout, a folder of YAML files, one file, a Splunk app (its
    folder or its .spl or .tgz archive), or a folder of apps. What a later
    path defines replaces what an earlier one does; ``overlay`` is a folder of local changes
    (see ``content.overlay``) on top, over those that belong to a content pack (``content.packs``).
    ``keep`` is given each YAML file of an element of ``paths``.

    >>> content = load()
    >>> content.detection("process execution via wmi").risk.score
    49

    Raises:
        EscudoError: CON001 where a path does not exist, CON221 for an archive that is damaged,
            SYS006 for a URL.
    """
    for path in (*paths, *([overlay] if overlay is not None else [])):
        refuse_url(path, "content")
    layers = [load_layer(BUILTIN_FOLDER, BUILTIN)] if builtin else []
    kept = []
    for path in map(Path, paths):
        if is_archive(path):
            kept.append(unpack_archive(path))
            layers += [load_app(app) for app in find_apps(Path(kept[-1].name))]
        else:
            apps = find_apps(path)
            layers += [load_app(app) for app in apps] or [load_layer(path, keep=keep)]
    own = [*map(find_overlay, map(Path, paths)), overlay]
    overlays = [load_overlay(folder) for folder in own if folder is not None]
    merged = merge([*layers, *(changes.layer for changes in overlays)])
    for changes in overlays:
        apply_overlay(merged, changes)
    return _content(merged, tuple(kept))


def _content(layer: Layer, kept: tuple[object, ...]) -> Content:
    described = {Path(k.path).name for k in layer.lookups.values() if k.path is not None}
    bare = [
        Lookup(name=name, path=path) for name, path in layer.csv.items() if name not in described
    ]
    return Content(
        detections=tuple(sorted(layer.detections.values(), key=lambda d: d.name)),
        macros=tuple(layer.macros.values()),
        lookups=(*layer.lookups.values(), *bare),
        stories=tuple(layer.stories.values()),
        baselines=tuple(layer.baselines.values()),
        investigations=tuple(layer.investigations.values()),
        deployments=dict(layer.deployments),
        data_sources=tuple(layer.data_sources.values()),
        diagnostics=tuple(layer.diagnostics),
        files=layer.files,
        failed_files=layer.failed_files,
        field_rules=FieldRules(tuple(layer.field_rules.values()), layer.eventtypes, layer.tags),
        kept=kept,
    )
