"""A search and a name -> a macro in the user's own content folder; called by the shell."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from escudo.core.errors import EscudoError
from escudo.core.whole_file import write_whole

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")


def save_search(name: str, search: str, folder: Path) -> Path:
    """Writes a macro of the name, whose definition is the search; one that is there is replaced.

    The folder is content: `--content FOLDER` brings what was saved to any command.

    Raises:
        EscudoError: CLI023 for a name that no macro can have, SYS002 where the file cannot be
            written.
    """
    if not _NAME.match(name):
        raise EscudoError(
            "CLI023",
            f"{name!r} cannot name a macro",
            hint="use letters, digits and _, with a letter first",
        )
    path = folder / "macros" / f"{name}.yml"
    macro = {"name": name, "definition": search.strip(), "description": "Saved in escudo shell."}
    text = yaml.safe_dump(macro, sort_keys=False, allow_unicode=True, width=100)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{path.parent} cannot be made: {error.strerror or error}"
        raise EscudoError("SYS002", message) from error
    with write_whole(path) as stream:
        stream.write(text.encode())
    return path
