"""The error codes of what makes content and brings it here, for ``docs/errors.md``."""

from __future__ import annotations

from collections.abc import Mapping

from escudo.core.errors import ErrorCode

CODES: Mapping[str, ErrorCode] = {
    row.code: row
    for row in (
        ErrorCode(
            "AUT001",
            "a name that an element cannot have",
            "Its file, its saved search and its macro are named after it; the hint says what fits.",
        ),
        ErrorCode(
            "AUT002",
            "it is there already",
            "Nothing is overwritten. Choose another name, or change the file that is there.",
        ),
        ErrorCode(
            "AUT003",
            "something that the element needs is not said",
            "Give the option that the message names; on a terminal it is asked for.",
        ),
        ErrorCode(
            "AUT004",
            "a value that the element cannot have",
            "The message says what it may be.",
        ),
        ErrorCode(
            "AUT005",
            "it names something that the content has not",
            "Make that first (`escudo new`), or name the content that has it (--content).",
        ),
        ErrorCode(
            "AUT006",
            "a field that the search does not give",
            "Name one of the fields of its rows, or have the search keep it.",
        ),
        ErrorCode(
            "AUT010",
            "there is nothing to build an app from",
            "Give a content repository: a folder with detections, macros, lookups.",
        ),
        ErrorCode(
            "AUT011",
            "the content cannot be built into an app",
            "Correct what the message names; `escudo validate` shows all that is wrong.",
        ),
        ErrorCode(
            "AUT012",
            "a key of contentctl.yml that an app cannot have",
            "The message says what it may be.",
        ),
        ErrorCode(
            "AUT020",
            "a side of the comparison that cannot be read",
            "Give a folder, an app, or REF:PATH of a git repository (HEAD:., main:detections).",
        ),
        ErrorCode(
            "AUT021",
            "a version that was not raised",
            "Raise `version` (and `date`) of what was changed.",
        ),
        ErrorCode(
            "AUT030",
            "git cannot do it",
            "The message has git's own words; check the URL, the name of the branch, your access.",
        ),
        ErrorCode(
            "AUT031",
            "git is not installed",
            "Install git, or give a folder or an archive instead of a repository.",
        ),
        ErrorCode(
            "AUT032",
            "no content pack of that name",
            "`escudo content list` shows those that there are.",
        ),
        ErrorCode(
            "AUT033",
            "there is no content in it",
            "Name the folder of it that has detections, macros or an app (--path).",
        ),
        ErrorCode(
            "AUT034",
            "content that is not taken in",
            "It is damaged, too large, or has links or names that lead out of its folder.",
        ),
        ErrorCode(
            "AUT035",
            "the store of content packs is in use",
            "Another command is changing it; repeat when that has ended.",
        ),
    )
}
