"""What a user has typed -> whether it is a whole search; the prompt and scripts ask it."""

from __future__ import annotations

import re

_ATOM = re.compile(r'```.*?```|"(?:[^"\\]|\\.)*"|`[^`]*`|\\.', re.DOTALL)
_OPEN = {"(": ")", "[": "]"}


def is_complete(text: str) -> bool:
    r"""Whether a search can end here: quotes and brackets are closed, and no pipe or comma awaits
    what follows. A command of the shell is one line; an empty last line ends anything.

    >>> [is_complete(t) for t in ('index=*', 'index=* |', 'x [search y', 'eval a="', '.fields (')]
    [True, False, False, False, True]
    >>> is_complete('x [search y\n')
    True
    """
    if text.startswith(".") or not text.strip():
        return True
    if text.split("\n")[-1].strip() == "" and "\n" in text:
        return True
    bare = _ATOM.sub("", text)
    if '"' in bare or "`" in bare:
        return False
    opened = sum(bare.count(sign) for sign in _OPEN)
    closed = sum(bare.count(sign) for sign in _OPEN.values())
    return opened <= closed and not bare.rstrip().endswith(("|", ",", "\\"))


def split_script(lines: list[str]) -> list[tuple[int, str]]:
    """The searches of a script with the numbers of their first lines: a line each, and further
    lines while one is not complete. Lines that are empty or begin with ``#`` are passed over.

    >>> split_script(["# hosts", "index=* |", "stats count", "", ".quit"])
    [(2, 'index=* |\\nstats count'), (5, '.quit')]
    """
    searches: list[tuple[int, str]] = []
    held = ""
    begun = 0
    for number, line in enumerate(lines, 1):
        if not held and (not line.strip() or line.lstrip().startswith("#")):
            continue
        begun = begun if held else number
        held = f"{held}\n{line}" if held else line.strip()
        if is_complete(held):
            searches.append((begun, held.strip()))
            held = ""
    if held.strip():
        searches.append((begun, held.strip()))
    return searches
