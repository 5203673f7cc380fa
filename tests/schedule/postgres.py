"""A PostgreSQL server of its own for tests: made by initdb, started by pg_ctl, gone at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PLACES = (*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True),)
_UNPRIVILEGED = ("postgres", "nobody")


def find_programs() -> Path | None:
    """The folder of initdb and pg_ctl, if this machine has them."""
    found = shutil.which("initdb")
    if found is not None and shutil.which("pg_ctl") is not None:
        return Path(found).parent
    return next((p for p in _PLACES if (p / "initdb").exists()), None)


def find_user() -> str | None:
    """Whom the server runs as: root cannot. None is who runs the tests."""
    if os.geteuid():
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in _UNPRIVILEGED if name in known)


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """The URL of a server whose files are below a folder."""
    programs = find_programs()
    assert programs is not None
    user = find_user()
    data = folder / "data"
    if user is not None:
        entry = pwd.getpwnam(user)
        os.chown(folder, entry.pw_uid, entry.pw_gid)

    def run(*command: str) -> None:
        done = subprocess.run(
            command, user=user, cwd=folder, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr

    run(str(programs / "initdb"), "-D", str(data), "-U", "escudo", "-A", "trust", "--no-sync")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
    control = str(programs / "pg_ctl")
    run(control, "-D", str(data), "-w", "-o", settings, "-l", str(folder / "log"), "start")
    try:
        yield f"postgresql://escudo@127.0.0.1:{port}/postgres"
    finally:
        run(control, "-D", str(data), "-m", "immediate", "stop")
