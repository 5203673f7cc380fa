"""Settings -> the text of a .conf file, which ``content.apps.conf`` and Splunk read back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

Stanza = tuple[str, Mapping[str, str]]


def write_conf(stanzas: Iterable[Stanza]) -> str:
    r"""The text of a file; a value of several lines goes on after a backslash.

    >>> print(write_conf([("one", {"search": "index=a\n| head 1"})]), end="")
    [one]
    search = index=a\
    | head 1
    """
    return "\n".join(
        f"[{name}]\n" + "".join(f"{key} = {_escape(value)}\n" for key, value in settings.items())
        for name, settings in stanzas
    )


def _escape(value: str) -> str:
    """Backslashes at the ends of lines; one that the value ends with has a blank after it, or the
    next setting would be part of it."""
    text = value.strip().replace("\r\n", "\n").replace("\r", "\n")
    lines = text.replace("\n", "\\\n")
    return f"{lines} " if lines.endswith("\\") else lines


def write_json(value: Any) -> str:
    """JSON on one line, keys in order."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def write_truth(value: bool) -> str:
    return "true" if value else "false"
