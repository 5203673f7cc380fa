"""Content -> a Splunk app: its files, and its archive, byte for byte the same for the same content;
``actions.build_app`` calls it."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from escudo.authoring.apps.conf_text import Stanza, write_conf, write_json, write_truth
from escudo.authoring.apps.identity import AppIdentity
from escudo.authoring.apps.knowledge_objects import (
    AppTable,
    is_own,
    list_macros,
    list_tables,
    write_collections,
    write_macro,
    write_stories,
    write_transform,
)
from escudo.authoring.apps.saved_searches import SearchNaming, SearchWriter
from escudo.authoring.used_names import find_macros, group_macros
from escudo.content import Content
from escudo.core.errors import EscudoError

_CUSTOM_CONFS = ("analyticstories", "content-version")
"""Files that Splunk itself does not know; it is told to load them anew, and to replicate them."""
_FIRST_DAY = date(2000, 1, 1)
"""Of content that has no date."""
_COMPRESSION = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """The files of an app below its folder, and how much of what is in them."""

    identity: AppIdentity
    files: Mapping[str, bytes]
    counts: Mapping[str, int]
    day: date
    """When the newest element was last changed."""


def build_app(content: Content, identity: AppIdentity, *, enabled: bool = False) -> App:
    """The app of all content but Escudo's own.

    Args:
        enabled: detections run once the app is installed; else only those that say so
            (``enabled_by_default``), as with contentctl.

    Raises:
        EscudoError: AUT010 where there is nothing, AUT011 where a part cannot be built.
    """
    detections = [d for d in content.detections if is_own(d.origin.file)]
    baselines = [b for b in content.baselines if is_own(b.origin.file)]
    investigations = [i for i in content.investigations if is_own(i.origin.file)]
    naming = SearchNaming(label=identity.label)
    writer = SearchWriter(content=content, naming=naming, enabled=enabled)
    searches = [
        *(writer.detection(d) for d in detections),
        *(writer.baseline(b) for b in baselines),
        *(writer.investigation(i) for i in investigations),
    ]
    texts = [value for _, settings in searches for value in _list_searches(settings)]
    known = group_macros(content.macros)
    used = {name for text in dict.fromkeys(texts) for name in find_macros(text, known)}
    macros = list_macros(content, used)
    tables = list_tables(content, [*texts, *(m.definition for m in macros)])
    stories = [s for s in content.stories if is_own(s.origin.file)]
    if not searches and not macros and not tables:
        raise EscudoError("AUT010", "the content has no search, macro or lookup")
    _refuse_twice(name for name, _ in searches)
    dates = (
        *(d.date for d in detections),
        *(b.date for b in baselines),
        *(i.date for i in investigations),
        *(s.date for s in stories),
    )
    day = max((d for d in dates if d is not None), default=_FIRST_DAY)
    confs: dict[str, Iterable[Stanza]] = {
        "savedsearches": [writer.default(), *searches] if searches else [],
        "macros": map(write_macro, macros),
        "transforms": filter(None, map(write_transform, tables)),
        "collections": write_collections(tables),
        "analyticstories": write_stories(content, detections, naming, identity),
        "content-version": [("content-version", {"version": identity.version})],
        "app": _describe_app(identity, day),
        "server": [("shclustering", _replicate(_CUSTOM_CONFS))],
    }
    out = {"app.manifest": _write_manifest(identity, day).encode()}
    for name, stanzas in confs.items():
        if text := write_conf(stanzas):
            out[f"default/{name}.conf"] = text.encode("utf-8", "replace")
    out.update(_read_tables(tables))
    counts = {
        "detections": len(detections),
        "baselines": len(baselines),
        "investigations": len(investigations),
        "macros": len(macros),
        "lookups": len(tables),
        "stories": len(stories),
    }
    out["README.md"] = _write_readme(identity, counts).encode()
    out["metadata/default.meta"] = _read_template("default.meta")
    for name in ("appIcon.png", "appIcon_2x.png", "appIconAlt.png", "appIconAlt_2x.png"):
        out[f"static/{name}"] = _read_template("icon_2x.png" if "2x" in name else "icon.png")
    return App(identity=identity, files=dict(sorted(out.items())), counts=counts, day=day)


def _list_searches(settings: Mapping[str, str]) -> Iterator[str]:
    yield settings["search"]
    yield settings.get("action.notable.param.drilldown_searches", "")


def _refuse_twice(names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise EscudoError("AUT011", f"two saved searches would be called {name!r}")
        seen.add(name)


def _replicate(names: Iterable[str]) -> dict[str, str]:
    return {f"conf_replication_include.{name}": "true" for name in names}


def _describe_app(identity: AppIdentity, day: date) -> list[Stanza]:
    return [
        (
            "install",
            {
                "is_configured": "false",
                "state": "enabled",
                "state_change_requires_restart": "false",
                "build": day.strftime("%Y%m%d"),
            },
        ),
        ("triggers", {f"reload.{name}": "simple" for name in _CUSTOM_CONFS}),
        (
            "launcher",
            {
                "author": identity.author_company,
                "version": identity.version,
                "description": identity.description,
            },
        ),
        ("ui", {"is_visible": write_truth(False), "label": identity.title}),
        ("package", {"id": identity.appid, "check_for_updates": write_truth(False)}),
        ("id", {"name": identity.appid, "version": identity.version}),
    ]


def _write_manifest(identity: AppIdentity, day: date) -> str:
    """``app.manifest`` of the packaging toolkit (schema 1.0.0)."""
    nothing = {"name": None, "text": None, "uri": None}
    manifest: dict[str, Any] = {
        "schemaVersion": "1.0.0",
        "info": {
            "title": identity.title,
            "id": {"group": None, "name": identity.appid, "version": identity.version},
            "author": [
                {
                    "name": identity.author_name,
                    "email": identity.author_email,
                    "company": identity.author_company,
                }
            ],
            "releaseDate": day.isoformat(),
            "description": identity.description,
            "classification": {
                "intendedAudience": None,
                "categories": [],
                "developmentStatus": None,
            },
            "commonInformationModels": None,
            "license": nothing,
            "privacyPolicy": nothing,
            "releaseNotes": {"name": None, "text": "./README.md", "uri": None},
        },
        "dependencies": None,
        "tasks": None,
        "inputGroups": None,
        "incompatibleApps": None,
        "platformRequirements": None,
    }
    return write_json(manifest) + "\n"


def _write_readme(identity: AppIdentity, counts: Mapping[str, int]) -> str:
    lines = [f"# {identity.title}", "", identity.description, ""]
    lines += [f"- {name}: {count}" for name, count in counts.items() if count]
    lines += [
        "",
        "Needs the Common Information Model add-on; findings and risk need Enterprise Security.",
        f"Contact: {identity.author_name}, {identity.author_email}.",
    ]
    return "\n".join(lines) + "\n"


def _read_tables(tables: Iterable[AppTable]) -> dict[str, bytes]:
    """The files of lookups; one that a search of the content has yet to write has none.

    Raises:
        EscudoError: AUT011 where two have one name and are not the same.
    """
    out: dict[str, bytes] = {}
    for table in tables:
        path = table.lookup.path
        if path is None or table.filename is None or not Path(path).is_file():
            continue
        data = Path(path).read_bytes()
        name = f"lookups/{table.filename}"
        if out.setdefault(name, data) != data:
            raise EscudoError("AUT011", f"two different files would be {name}")
    return out


def _read_template(name: str) -> bytes:
    return files("escudo.authoring.apps").joinpath("templates", name).read_bytes()


def pack_app(app: App) -> bytes:
    """The archive. Owners, rights and times are the same whoever packs it."""
    stamp = int(datetime(app.day.year, app.day.month, app.day.day, tzinfo=UTC).timestamp())
    packed = io.BytesIO()
    with (
        gzip.GzipFile("", "wb", _COMPRESSION, packed, mtime=0) as squeezed,
        tarfile.open(fileobj=squeezed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, data in app.files.items():
            member = tarfile.TarInfo(f"{app.identity.appid}/{name}")
            member.size = len(data)
            member.mtime = stamp
            member.mode = 0o644
            archive.addfile(member, io.BytesIO(data))
    return packed.getvalue()
