"""The name of an element -> what its file, its filter macro and its saved search are called, as
with contentctl 5.6.2; elements, checks and authoring ask."""

from __future__ import annotations

import re

LONGEST_NAME = 99
"""Characters of the name of a saved search that Enterprise Security can edit (contentctl,
``ES_MAX_STANZA_LENGTH``)."""
_LONGEST_DOMAIN = "endpoint"
"""Of the six security domains, the longest."""
_APART = re.compile(r"[ \-./]")


def name_file(name: str) -> str:
    """The stem of an element's file (contentctl, ``contentNameToFileName``).

    >>> name_file("Process Execution via WMI - v2.1/Usage")
    'process_execution_via_wmi___v2_1_usage'
    """
    return _APART.sub("_", name).lower()


def name_filter(name: str) -> str:
    """The macro at the end of a detection's search, for local exclusions.

    >>> name_filter("Odd Shell")
    'odd_shell_filter'
    """
    return f"{name_file(name)}_filter"


def name_rule(label: str, name: str) -> str:
    """The saved search of a detection in an app of a label.

    >>> name_rule("ESCU", "Odd Shell")
    'ESCU - Odd Shell - Rule'
    """
    return f"{label} - {name} - Rule"


def measure_room(label: str) -> int:
    """How many characters the name of a search may have in an app of a label: Enterprise Security
    calls a copy of its saved search ``endpoint - SAVED SEARCH - Rule``.

    >>> measure_room("ESCU")
    67
    """
    return LONGEST_NAME - len(name_rule(_LONGEST_DOMAIN, name_rule(label, "")))
