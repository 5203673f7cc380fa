"""The error codes of content, for ``docs/errors.md``."""

from __future__ import annotations

from collections.abc import Mapping

from escudo.core.errors import ErrorCode

_ROWS = (
    ErrorCode(
        "CON001",
        "a content path does not exist",
        "Give a security_content checkout, a folder of YAML files, one file, or a Splunk app.",
    ),
    ErrorCode(
        "CON002",
        "a content file cannot be read",
        "Content files are YAML in UTF-8; check the file's permissions and encoding.",
    ),
    ErrorCode(
        "CON101",
        "the file is not valid YAML",
        "The place is where the parser stopped; the cause is often a quote or an indent before it.",
    ),
    ErrorCode(
        "CON102",
        "a value has the wrong shape",
        "See the table of keys in the docs: text, number, list or mapping.",
    ),
    ErrorCode(
        "CON103", "a required key is missing", "Add the key; the file is left out until then."
    ),
    ErrorCode(
        "CON104",
        "a value is not one of those allowed",
        "Use one of the values that the message lists.",
    ),
    ErrorCode(
        "CON105",
        "a key is not known",
        "The key has no effect. If it is a misspelling, correct it.",
    ),
    ErrorCode("CON108", "nested too deep", "Content has a few levels; look at the line."),
    ErrorCode("CON106", "a key occurs twice in one mapping", "Remove one; the first is used."),
    ErrorCode(
        "CON107",
        "the file is not a content element that Escudo knows",
        "A detection has `search` and `type`, a macro `definition`, a lookup `filename` or"
        " `collection`, a story `narrative`, a deployment `scheduling`.",
    ),
    ErrorCode(
        "CON201",
        "two elements have the same name or id",
        "Rename one. Within one folder the first is used; a later folder replaces an earlier one.",
    ),
    ErrorCode(
        "CON202",
        "a lookup's file is missing",
        "Put the CSV file beside the lookup's YAML, or in the `lookups` folder of an app. Until"
        " then searches that use it fail (SPL314), unless a search of the content writes it.",
    ),
    ErrorCode(
        "CON203",
        "the risk score disagrees with impact and confidence",
        "A score is impact * confidence / 100; the score as written is used.",
    ),
    ErrorCode(
        "CON204",
        "a message token is not closed",
        "Write a field between two dollar signs: $dest$.",
    ),
    ErrorCode(
        "CON205",
        "no detection has this name or id",
        "Give its name (in any case), its id, or the name of its saved search.",
    ),
    ErrorCode(
        "CON206",
        "match_type of a field that the lookup's file has not",
        "Correct the name in WILDCARD() or CIDR(); the field that is meant is compared exactly.",
    ),
    ErrorCode(
        "CON211",
        "a file that content names is outside of the content",
        "Content reads only files below its own folder, links resolved. Copy the file into it.",
    ),
    ErrorCode(
        "CON220",
        "a part of a .conf file cannot be read",
        "A line is `[stanza]`, `key = value`, a comment with `#`, or goes on after a backslash.",
    ),
    ErrorCode(
        "CON221",
        "an app's archive cannot be unpacked",
        "Give a whole .spl or .tgz file, or the app's folder.",
    ),
    ErrorCode(
        "CON222",
        "a setting of a Splunk app has no effect here",
        "What it does has to be done in another way; the rest of the app is used.",
    ),
    ErrorCode(
        "CON223",
        "a search-time field of a Splunk app cannot be read",
        "Correct the setting of props.conf or transforms.conf; the rest of the app is used.",
    ),
    ErrorCode(
        "CON231",
        "what is known of a content pack is damaged",
        "Remove the pack (`escudo content remove`) and add it again; its local changes stay.",
    ),
    ErrorCode(
        "CON301",
        "an overlay changes a detection that does not exist",
        "Correct the name, or add the content folder that defines it.",
    ),
    ErrorCode(
        "CON302",
        "an overlay replaces text that the search does not have exactly once",
        "Upstream may have changed; adapt `replace` to the new text.",
    ),
)

CODES: Mapping[str, ErrorCode] = {row.code: row for row in _ROWS}
