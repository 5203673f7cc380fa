"""The name of an element -> the name of its file, of its filter macro; scaffold and apps ask."""

from __future__ import annotations

import re

from escudo.core.errors import EscudoError

LONGEST = 99
"""Characters of a search's name in Enterprise Security, which puts the security domain before it
(contentctl 5.6.2, ``ES_MAX_STANZA_LENGTH``)."""
LONGEST_DOMAIN = len("endpoint")
"""Of the six security domains, the longest. A search that is cloned there is called
``endpoint - NAME OF THE SEARCH - Rule``."""

_APART = re.compile(r"[ \-./]")
_PRINTED = re.compile(r"[^\x00-\x1f\x7f\\:*?\"<>|$`\[\]]+")
_WORD = re.compile(r"[A-Za-z0-9_]+")


def name_file(name: str) -> str:
    """The stem of an element's file, as contentctl wants it.

    >>> name_file("Process Execution via WMI - v2.1")
    'process_execution_via_wmi___v2_1'
    """
    return _APART.sub("_", name).lower()


def name_filter(name: str) -> str:
    """The macro at the end of a detection's search, for local exclusions.

    >>> name_filter("Odd Shell")
    'odd_shell_filter'
    """
    return f"{name_file(name)}_filter"


def name_rule(label: str, name: str) -> str:
    """A detection's saved search in an app of a label."""
    return f"{label} - {name} - Rule"


def check_name(name: str) -> str:
    """The name of an element without the blanks around it.

    Raises:
        EscudoError: AUT001 where it is empty, too long, or has characters that no file name, stanza
            or macro can have.
    """
    bare = name.strip()
    if not _PRINTED.fullmatch(bare) or not name_file(bare).strip("_"):
        raise EscudoError(
            "AUT001",
            f"{name!r} cannot name an element",
            hint='a name is one line, without \\ : * ? " < > | $ ` [ ]',
        )
    if len(bare) > LONGEST:
        raise EscudoError("AUT001", f"the name has {len(bare)} characters; {LONGEST} are allowed")
    return bare


def check_detection_name(name: str, label: str) -> str:
    """``check_name``, and that its saved search fits into Enterprise Security."""
    bare = check_name(name)
    longest = LONGEST - LONGEST_DOMAIN - len(" -  - Rule")
    if (length := len(name_rule(label, bare))) > longest:
        raise EscudoError(
            "AUT001",
            f"its saved search {name_rule(label, bare)!r} has {length} characters; {longest} are"
            " allowed",
            hint="shorten the name, or app.label of contentctl.yml",
        )
    return bare


def check_word(name: str, what: str) -> str:
    """The name of a macro or lookup: letters, digits, underscores.

    Raises:
        EscudoError: AUT001 for any other.
    """
    if not _WORD.fullmatch(name) or len(name) > LONGEST:
        raise EscudoError(
            "AUT001",
            f"{name!r} cannot name a {what}",
            hint=f"use letters, digits and _, at most {LONGEST}",
        )
    return name
