"""The data sources that detections name, the events that a lake has -> which of them are here;
called by what sums up a hunt, and by the catalogue of detections."""

from __future__ import annotations

from collections.abc import Mapping

from escudo.content import Content, Detection

_COMMON = frozenset({"wineventlog", "_json"})
"""Sourcetypes of many different logs, as ``fold_origin`` gives them."""


def list_sources(detection: Detection) -> list[str]:
    """The data sources of a detection; some content joins two in one text."""
    return [name.strip() for text in detection.data_source for name in text.split(" AND ")]


def name_origins(content: Content) -> dict[str, str]:
    """Data source -> its sourcetype; its source where many logs have that sourcetype."""
    return {
        source.name: source.source
        if fold_origin(source.sourcetype) in _COMMON
        else source.sourcetype
        for source in content.data_sources
        if source.source and source.sourcetype
    }


def find_origin(name: str, origins: Mapping[str, str]) -> str | None:
    """Where the events of a data source come from. An event of a known one (``AWS CloudTrail
    PutObject``) comes from where the others do."""
    words = name.split()
    starts = (" ".join(words[:count]) for count in range(len(words), 0, -1))
    return next((origins[start] for start in starts if start in origins), None)


def fold_origin(name: str) -> str:
    """A source or sourcetype as it is compared: a Windows log is the same as XML and as text.

    >>> fold_origin("XmlWinEventLog:Security")
    'wineventlog:security'
    """
    return name.lower().removeprefix("xml")
