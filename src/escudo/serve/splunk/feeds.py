"""Entities, messages -> answers in Splunk's forms: Atom feeds, or JSON where ``output_mode=json``;
the routes of this package call it. Every value goes through a writer of XML or JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

from starlette.responses import JSONResponse, Response

from escudo import __version__

ATOM = "http://www.w3.org/2005/Atom"
REST = "http://dev.splunk.com/ns/rest"
SEARCH = "http://a9.com/-/spec/opensearch/1.1/"
VERSION = "9.4.0"
"""Of Splunk: the version whose REST this speaks, by which clients choose their paths."""

_UNFIT = {code: None for code in range(32) if code not in (9, 10, 13)} | {
    0xFFFE: None,
    0xFFFF: None,
}
"""Characters that no XML document may hold."""

for _prefix, _uri in (("", ATOM), ("s", REST), ("opensearch", SEARCH)):
    ET.register_namespace(_prefix, _uri)


class RefusalError(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


@dataclass(frozen=True, kw_only=True)
class Entity:
    """What has a name and settings. ``path`` is that of its collection (``saved/searches``)."""

    path: str
    name: str
    content: Mapping[str, Any]
    owner: str = "nobody"
    app: str = "search"
    updated: float = 0.0
    id: str | None = None
    sharing: str = "app"
    links: Sequence[str] = ("list", "edit", "remove")
    removable: bool = True
    writable: bool = True
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def address(self) -> str:
        name = quote(clean(self.id or self.name), safe="")
        owner, app = quote(self.owner, safe=""), quote(self.app, safe="")
        return f"/servicesNS/{owner}/{app}/{self.path}/{name}"

    @property
    def acl(self) -> dict[str, Any]:
        return {
            "app": self.app,
            "owner": self.owner,
            "sharing": self.sharing,
            "can_change_perms": self.writable,
            "can_list": True,
            "can_share_app": True,
            "can_share_global": True,
            "can_share_user": False,
            "can_write": self.writable,
            "modifiable": self.writable,
            "removable": self.removable,
            "perms": {"read": ["*"], "write": ["admin", "engineer"]},
        }


def write_feed(
    entities: Sequence[Entity],
    *,
    title: str,
    base: str,
    json: bool,
    offset: int = 0,
    count: int = 0,
    status: int = 200,
    warnings: Sequence[str] = (),
) -> Response:
    """A collection of entities, or a page of it; ``count`` 0 or less: all. ``warnings`` say what a
    client might expect, and is not so."""
    page = entities[offset:] if count <= 0 else entities[offset : offset + count]
    paging = {
        "total": len(entities),
        "perPage": count if count > 0 else len(page),
        "offset": offset,
    }
    if json:
        body = {
            "links": {},
            "origin": f"{base}/services/{title}",
            "updated": _write_time(0.0),
            "generator": {"build": __version__, "version": VERSION},
            "entry": [_describe(entity) for entity in page],
            "paging": paging,
            "messages": [{"type": "WARN", "text": clean(text)} for text in warnings],
        }
        return JSONResponse(body, status)
    feed = ET.Element(f"{{{ATOM}}}feed")
    _add(feed, f"{{{ATOM}}}title", title)
    _add(feed, f"{{{ATOM}}}id", f"{base}/services/{title}")
    _add(feed, f"{{{ATOM}}}updated", _write_time(0.0))
    ET.SubElement(feed, f"{{{ATOM}}}generator", build=__version__, version=VERSION)
    author = ET.SubElement(feed, f"{{{ATOM}}}author")
    _add(author, f"{{{ATOM}}}name", "Splunk")
    for name, value in (
        ("totalResults", paging["total"]),
        ("itemsPerPage", paging["perPage"]),
        ("startIndex", offset),
    ):
        _add(feed, f"{{{SEARCH}}}{name}", str(value))
    told = ET.SubElement(feed, f"{{{REST}}}messages")
    for text in warnings:
        ET.SubElement(told, f"{{{REST}}}msg", type="WARN").text = clean(text)
    for entity in page:
        feed.append(_make_entry(entity, base))
    return write_xml(feed, status)


def write_entry(entity: Entity, *, base: str) -> Response:
    """One entity that is the whole answer, as jobs are."""
    return write_xml(_make_entry(entity, base))


def write_messages(status: int, text: str, *, json: bool, kind: str | None = None) -> Response:
    """An error, or a word, in Splunk's form."""
    kind = kind or ("FATAL" if status == 400 else "ERROR")
    if json:
        return JSONResponse({"messages": [{"type": kind, "text": clean(text)}]}, status)
    root = ET.Element("response")
    message = ET.SubElement(ET.SubElement(root, "messages"), "msg", type=kind)
    message.text = clean(text)
    return write_xml(root, status)


def write_response(
    values: Mapping[str, str], *, json: bool, status: int = 200, warnings: Sequence[str] = ()
) -> Response:
    """``<response>`` with an element for each value, and messages where there are warnings."""
    if json:
        told = [{"type": "WARN", "text": clean(text)} for text in warnings]
        return JSONResponse({**values, **({"messages": told} if told else {})}, status)
    root = ET.Element("response")
    if warnings:
        messages = ET.SubElement(root, "messages")
        for text in warnings:
            ET.SubElement(messages, "msg", type="WARN").text = clean(text)
    for name, value in values.items():
        _add(root, name, value)
    return write_xml(root, status)


def write_xml(root: ET.Element, status: int = 200) -> Response:
    text = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return Response(text, status, media_type="text/xml")


def clean(text: str) -> str:
    """A text without what XML cannot hold.

    >>> clean("a\\x00b\\n")
    'ab\\n'
    """
    return text.translate(_UNFIT).encode("utf-8", "replace").decode()


def _describe(entity: Entity) -> dict[str, Any]:
    links = {"alternate": entity.address, **dict.fromkeys(entity.links, entity.address)}
    return {
        "name": entity.name,
        "id": entity.address,
        "updated": _write_time(entity.updated),
        "links": links,
        "author": entity.owner,
        "acl": entity.acl,
        "fields": {"required": [], "optional": [], "wildcard": []},
        "content": {"eai:acl": None, **entity.content},
    }


def _make_entry(entity: Entity, base: str) -> ET.Element:
    entry = ET.Element(f"{{{ATOM}}}entry")
    _add(entry, f"{{{ATOM}}}title", entity.name)
    _add(entry, f"{{{ATOM}}}id", f"{base}{entity.address}")
    _add(entry, f"{{{ATOM}}}updated", _write_time(entity.updated))
    for link in ("alternate", *entity.links):
        ET.SubElement(entry, f"{{{ATOM}}}link", href=entity.address, rel=link)
    author = ET.SubElement(entry, f"{{{ATOM}}}author")
    _add(author, f"{{{ATOM}}}name", entity.owner)
    _add(entry, f"{{{ATOM}}}published", _write_time(entity.updated))
    content = ET.SubElement(entry, f"{{{ATOM}}}content", type="text/xml")
    fields = ET.SubElement(content, f"{{{REST}}}dict")
    attributes: dict[str, Any] = {"optionalFields": [], "requiredFields": [], "wildcardFields": []}
    for name, value in {
        "eai:acl": entity.acl,
        "eai:attributes": attributes,
        **entity.content,
    }.items():
        key = ET.SubElement(fields, f"{{{REST}}}key", name=clean(name))
        _fill(key, value)
    return entry


def _fill(key: ET.Element, value: Any) -> None:
    if isinstance(value, Mapping):
        inner = ET.SubElement(key, f"{{{REST}}}dict")
        for name, one in value.items():
            _fill(ET.SubElement(inner, f"{{{REST}}}key", name=clean(str(name))), one)
    elif isinstance(value, list | tuple):
        items = ET.SubElement(key, f"{{{REST}}}list")
        for one in value:
            _fill(ET.SubElement(items, f"{{{REST}}}item"), one)
    else:
        key.text = clean(_write_scalar(value))


def _write_scalar(value: Any) -> str:
    """A value as Splunk's XML has it."""
    if isinstance(value, bool):
        return "1" if value else "0"
    return "" if value is None else str(value)


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = clean(text)


def _write_time(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="seconds")
