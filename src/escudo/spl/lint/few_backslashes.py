"""A folder's name in a regular expression behind two backslashes, where it takes four."""

from __future__ import annotations

import re
from collections.abc import Iterator

from escudo.core.errors import Diagnostic, Span
from escudo.spl.commands.regex import Regex
from escudo.spl.commands.rex import Rex
from escudo.spl.lint.checked import Checked, Rule
from escudo.spl.syntax.ast import Call, CommandNode, Literal

_PATTERNS = {"match": 1, "replace": 1}
"""Functions whose argument of this number is a regular expression."""
_FOLDERS = (
    *("appdata", "assembly", "common", "desktop", "documents", "downloads", "drivers", "google"),
    *("inetpub", "local", "locallow", "microsoft", "network", "perflogs", "program files"),
    *("programdata", "public", "recycler", "roaming", "software", "spool", "startup", "system"),
    *("system32", "syswow64", "sysnative", "tasks", "temp", "users", "wbem", "windows", "winsxs"),
)
_ALONE = re.compile(
    rf"(?<!\\)(?:\\\\)*\\(?=((?:{'|'.join(_FOLDERS)}|[a-z]\w{{2,}}\\?\.(?:exe|dll|ps1|bat|vbs))\b))",
    re.IGNORECASE,
)
_BOUNDARY = re.compile(r"b\w*\\?\.", re.IGNORECASE)
"""``\\bname.exe``: the boundary of a word is meant."""


def _findings(checked: Checked) -> Iterator[Diagnostic]:
    for step in checked.steps():
        for pattern, span in _regexes(step.command):
            for found in _ALONE.finditer(pattern):
                word = found[1]
                if _BOUNDARY.match(word):
                    continue
                yield checked.finding(
                    "SPL515",
                    f"'\\{word[0]}' of '\\{word}' is not a backslash in a regular expression",
                    checked.narrow(span, rf"\\+{re.escape(word)}"),
                    f"write \\\\\\\\{word}",
                )


def _regexes(command: CommandNode) -> Iterator[tuple[str, Span | None]]:
    """The regular expressions of a command as the engine gets them."""
    if isinstance(command, Regex) or (isinstance(command, Rex) and command.mode is None):
        yield command.pattern, command.span
    for node in command.walk(into_subsearches=False):
        if isinstance(node, Call) and node.name in _PATTERNS and len(node.args) > 1:
            argument = node.args[_PATTERNS[node.name]]
            if isinstance(argument, Literal) and isinstance(argument.value, str):
                yield argument.value, argument.span


RULE = Rule(
    "SPL515",
    _findings,
    r"""A double-quoted text halves its backslashes, and the regular expression halves them again.
So `"\\Windows"` looks for a character that is no part of a word, then "indows"; a backslash takes
four.

    bad:    ... | where match(path, "C:\\Windows")
    better: ... | where match(path, "C:\\\\Windows")
""",
)
