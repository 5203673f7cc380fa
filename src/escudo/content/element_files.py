"""Content files as they were parsed, beside what was made of them; loading keeps them to check."""

from __future__ import annotations

from dataclasses import dataclass, field

import yaml


@dataclass(frozen=True, slots=True)
class ElementFile:
    """One YAML file of content that could be parsed, whether or not an element was made of it.

    ``kind`` is what the file is (``detection``, ``data source``); ``source`` its text; ``root`` the
    folder that was given, or the checkout that it is a part of; ``label`` that of the app.
    """

    path: str
    kind: str
    node: yaml.Node = field(repr=False)
    source: str = field(repr=False)
    root: str
    label: str
