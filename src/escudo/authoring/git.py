"""What is asked of git -> its answer; the program is run without a shell; differences, the store,
and ``escudo test --changed`` call it."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from escudo.content.apps.app_files import unpack_into
from escudo.core.errors import EscudoError

_PROTOCOLS = "file:git:http:https:ssh"
"""Those that name a place; ``ext::`` runs a command."""
_MINUTES = 30
_SET: Mapping[str, str] = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": _PROTOCOLS,
    "GIT_LFS_SKIP_SMUDGE": "1",
    "LC_ALL": "C",
}
_UNSET = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX")
"""What git tells the programs that it runs itself, of the repository that it is in."""
_SAFE = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "protocol.version=2")
_SHOWN = 400


def run_git(*arguments: str, folder: Path | None = None, output: Path | None = None) -> str:
    """What git prints, without the line feed at its end; into a file where one is given. Names of
    files that are no UTF-8 stay what they are (``os.fsencode``).

    Raises:
        EscudoError: AUT031 where git is not installed, AUT030 with git's words where it fails.
    """
    where = ("-C", str(folder)) if folder is not None else ()
    environment = {k: v for k, v in os.environ.items() if k not in _UNSET} | dict(_SET)
    with open(output if output is not None else os.devnull, "wb") as file:
        try:
            done = subprocess.run(
                ["git", *_SAFE, *where, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=file if output is not None else subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                timeout=_MINUTES * 60,
                check=False,
            )
        except FileNotFoundError as error:
            raise EscudoError("AUT031", "the program git is not there") from error
        except subprocess.TimeoutExpired as error:
            message = f"git {arguments[0]} did not end within {_MINUTES} minutes"
            raise EscudoError("AUT030", message) from error
        except (OSError, ValueError) as error:
            raise EscudoError("AUT030", f"git cannot be run: {error}") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        words = "; ".join(line.removeprefix("fatal: ") for line in said)[-_SHOWN:]
        raise EscudoError("AUT030", f"git {arguments[0]}: {words or done.returncode}")
    return (done.stdout or b"").decode("utf-8", "surrogateescape").rstrip("\r\n")


def check_argument(text: str, what: str) -> str:
    """A word of the user's for git's command line, which must not look like an option of it.

    Raises:
        EscudoError: AUT030.
    """
    if not text or text.startswith("-") or not text.isprintable():
        raise EscudoError("AUT030", f"{text!r} is no {what}")
    return text


def find_commit(repository: Path, ref: str) -> str:
    """The full id of the commit that a ref names.

    Raises:
        EscudoError: AUT030 where there is none.
    """
    named = check_argument(ref, "name of a commit")
    try:
        return run_git("rev-parse", "--verify", "--quiet", f"{named}^{{commit}}", folder=repository)
    except EscudoError as error:
        if error.code == "AUT031":
            raise
        message = f"the repository of {repository.absolute()} has no commit {ref!r}"
        raise EscudoError("AUT030", message) from error


def find_prefix(folder: Path) -> PurePosixPath:
    """Where a folder is below the root of its repository.

    Raises:
        EscudoError: AUT030 where it is in none.
    """
    return PurePosixPath(run_git("rev-parse", "--show-prefix", folder=folder) or ".")


def export_commit(repository: Path, commit: str, target: Path) -> None:
    """Unpacks the files of a commit into a folder, as they are in it: links that lead out of it are
    refused, what Git LFS keeps elsewhere stays a pointer.

    Raises:
        EscudoError: AUT030; CON221 for what cannot be unpacked.
    """
    with tempfile.TemporaryDirectory(prefix="escudo-git-") as folder:
        packed = Path(folder, "commit.tar")
        root = Path(run_git("rev-parse", "--absolute-git-dir", folder=repository))
        run_git("archive", "--format=tar", commit, folder=root, output=packed)
        unpack_into(packed, target)
