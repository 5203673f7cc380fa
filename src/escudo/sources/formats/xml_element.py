"""One Windows event as XML -> its fields: the reference that the fast path is held to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

Field = str | list[str]
"""A field's value; a list where an event gives several (unnamed Data)."""

_INVALID = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_INVALID_REFERENCE = re.compile(
    r"&#(?:x0*(?:[0-8bcBCefEF]|1[0-9a-fA-F]|[dD][89a-fA-F]..|[fF]{3}[efEF])"
    r"|0*(?:[0-8]|1[124-9]|2\d|3[01]));"
)
_BARE_AMPERSAND = re.compile(r"&(?!(?:lt|gt|amp|quot|apos|#\d+|#x[0-9A-Fa-f]+);)")
_PRIVATE = 0x10FE00
"""Where control characters, which XML forbids and logs have, stand during the parse."""
_TAKEN = re.compile(f"[{chr(_PRIVATE)}-{chr(_PRIVATE + 31)}]")
_BACK = {_PRIVATE + code: code for code in range(32)}
_SYSTEM_ATTRIBUTES = frozenset({"Provider", "TimeCreated", "Correlation", "Execution", "Security"})


DECIDING = frozenset({"EventID", "Channel", "Computer", "SystemTime"})
"""What System says decides what an event is, whence and when; an event's own data may use the same
names for something else (the log that was cleared, an event that could not be written)."""


class NotAnEventError(ValueError):
    """The text is no Windows event; ``code`` says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def read_event_fields(text: str) -> dict[str, Field]:
    """The fields of one ``<Event>``, named as Splunk's add-on for Windows names them.

    System: the children's names (``EventID``, ``Computer`` ...) and the attributes' names
    (``Name`` and ``Guid`` of the provider, ``SystemTime``, ``ProcessID``, ``UserID`` ...).
    EventData: the values by name; those without one are together the multivalue ``Data``.
    UserData: the names of its leaves. An empty value is no field. Where an EventData field has
    the name of a System field, EventData wins and the other is ``System.<name>``; but for those
    that are ``DECIDING``: System wins, and the event's own is ``EventData.<name>``.
    A blank in a name becomes an underscore, as Splunk's field names have it.

    Raises NotAnEventError where the text is not well-formed or has no System element.

    >>> read_event_fields("<Event><System><EventID>1</EventID><Execution ProcessID='4'/></System>"
    ...     "<EventData><Data Name='Image'>a&amp;b</Data><Data>x</Data></EventData></Event>")
    {'EventID': '1', 'ProcessID': '4', 'Image': 'a&b', 'Data': ['x']}
    """
    root, mended = _parse(text)
    out: dict[str, Field] = {}
    system = next((c for c in root if _name(c) == "System"), None)
    if system is None:
        raise NotAnEventError("SRC022", "an <Event> without <System>")
    for name, value in _system(system):
        out.setdefault(name, value)
    own: dict[str, Field] = {}
    for part in root:
        for name, value in _PARTS.get(_name(part), _leaves)(part) if part is not system else ():
            if name == "Data" and _name(part) == "EventData":
                values = own.setdefault("Data", [])
                assert isinstance(values, list)
                values.append(value)
            else:
                _add(own, name, value)
    for name, field in own.items():
        if name.removesuffix("{}") in DECIDING:
            out[f"EventData.{name}"] = field
            continue
        if name in out:
            out[f"System.{name}"] = out[name]
        out[name] = field
    return {name: _restored(value) for name, value in out.items()} if mended else out


def _restored(value: Field) -> Field:
    """A value with the control characters that ``_repaired`` has put aside."""
    if isinstance(value, list):
        return [text.translate(_BACK) for text in value]
    return value.translate(_BACK)


def _parse(text: str) -> tuple[ElementTree.Element, bool]:
    """The event, and whether its text had to be mended."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise NotAnEventError("SRC020", "a document type declaration is not allowed in an event")
    # An XML parser turns CR LF into LF; the event's own line ends are kept.
    clean = text.replace("\r", "&#13;")
    try:
        return ElementTree.fromstring(clean), False
    except ElementTree.ParseError as error:
        problem = str(error)
    try:
        return ElementTree.fromstring(_repaired(clean)), True
    except ElementTree.ParseError:
        raise NotAnEventError("SRC020", f"not well-formed XML: {problem}") from None


def _repaired(text: str) -> str:
    """What loggers get wrong and a reader can tell: control characters and bare ampersands."""
    text = _INVALID_REFERENCE.sub("\ufffd", text)
    text = _BARE_AMPERSAND.sub("&amp;", text)
    text = _TAKEN.sub("\ufffd", text)
    return _INVALID.sub(lambda m: chr(_PRIVATE + ord(m[0])) if m[0] < " " else "\ufffd", text)


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _system(system: ElementTree.Element) -> Iterator[tuple[str, str]]:
    for child in system:
        name = _name(child)
        if name not in _SYSTEM_ATTRIBUTES and (text := _text(child)):
            yield name, text
        for attribute, value in child.attrib.items():
            if value:
                yield attribute.rpartition("}")[2], value


def _event_data(part: ElementTree.Element) -> Iterator[tuple[str, str]]:
    for child in part:
        text = _text(child)
        name = child.attrib.get("Name") or _name(child)
        if text:
            yield "_".join(name.split()), text


def _leaves(part: ElementTree.Element) -> Iterator[tuple[str, str]]:
    for element in part.iter():
        if len(element) == 0 and (text := _text(element)):
            yield "_".join((element.attrib.get("Name") or _name(element)).split()), text


def _rendering(part: ElementTree.Element) -> Iterator[tuple[str, str]]:
    for name, text in _leaves(part):
        yield ("Message" if name == "Message" else f"RenderingInfo.{name}"), text


_PARTS = {"EventData": _event_data, "RenderingInfo": _rendering}


def _text(element: ElementTree.Element) -> str:
    """The text of a leaf as it stands; of an element with children, all their text."""
    return (element.text or "") if len(element) == 0 else "".join(element.itertext())


def _add(fields: dict[str, Field], name: str, value: str) -> None:
    """A name that comes twice keeps its first value; all of them are ``name{}``."""
    if name not in fields:
        fields[name] = value
        return
    first = fields[name]
    every = fields.setdefault(f"{name}{{}}", [first] if isinstance(first, str) else list(first))
    assert isinstance(every, list)
    every.append(value)
