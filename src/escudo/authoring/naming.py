"""The name of an element as a user gives it -> the name, if files, stanzas and macros can have it;
scaffold and ``actions.new_element`` ask."""

from __future__ import annotations

import re

from escudo.content.elements.naming import LONGEST_NAME, measure_room, name_file, name_rule
from escudo.core.errors import EscudoError

_PRINTED = re.compile(r"[^\x00-\x1f\x7f\\:*?\"<>|$`\[\]]+")
_WORD = re.compile(r"[A-Za-z0-9_]+")


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
    if len(bare) > LONGEST_NAME:
        message = f"the name has {len(bare)} characters; {LONGEST_NAME} are allowed"
        raise EscudoError("AUT001", message)
    return bare


def check_detection_name(name: str, label: str) -> str:
    """``check_name``, and that its saved search fits into Enterprise Security."""
    bare = check_name(name)
    room = measure_room(label)
    if len(bare) > room:
        raise EscudoError(
            "AUT001",
            f"the name has {len(bare)} characters; its saved search {name_rule(label, bare)!r} has"
            f" room for {max(room, 0)}",
            hint="shorten the name, or app.label of contentctl.yml",
        )
    return bare


def check_word(name: str, what: str) -> str:
    """The name of a macro or lookup: letters, digits, underscores.

    Raises:
        EscudoError: AUT001 for any other.
    """
    if not _WORD.fullmatch(name) or len(name) > LONGEST_NAME:
        raise EscudoError(
            "AUT001",
            f"{name!r} cannot name a {what}",
            hint=f"use letters, digits and _, at most {LONGEST_NAME}",
        )
    return name
