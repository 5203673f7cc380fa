"""XML text and one of Splunk's paths (Search Reference, spath) -> values; for ``documents``."""

from __future__ import annotations

import re
from xml.etree import ElementTree

_STEP = re.compile(r"([^.{}]+)|\{(@?)([^{}]*)\}")


def xml_values(text: str, path: str) -> list[str]:
    """The texts at a path: ``a.b`` an element, ``a.b{@id}`` an attribute, ``a.b{2}`` the second b.

    >>> document = '<a><b id="1">x</b><b>y</b></a>'
    >>> xml_values(document, "a.b"), xml_values(document, "a.b{@id}")
    (['x', 'y'], ['1'])
    """
    if not text.lstrip().startswith("<") or "<!ENTITY" in text:
        return []
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        return []
    elements = [root]
    started = False
    for m in _STEP.finditer(path):
        name, attribute, inner = m.groups()
        if name is not None:
            if not started:
                elements = [e for e in elements if _local(e) == name]
                started = True
            else:
                elements = [c for e in elements for c in e if _local(c) == name]
        elif attribute:
            return [e.attrib[inner] for e in elements if inner in e.attrib]
        elif inner.isdigit():
            elements = elements[int(inner) - 1 : int(inner)]
    return [t for e in elements if (t := "".join(e.itertext()).strip())]


def _local(element: ElementTree.Element) -> str:
    """The name without its namespace."""
    return element.tag.rsplit("}", 1)[-1]
