"""Command lines -> runs of the program, forked from one process that has imported all of it.

To start Python and import Escudo takes longer than most commands. The process may be preloaded with
``faults.c``: then a run is ended, or refused its calls, at a call that changes files of a folder.
"""

from __future__ import annotations

import atexit
import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What goes wrong in a run: at the call ``at`` of those that change files of ``folder`` the
    process is killed, or, with an ``error`` (an errno), this call and all after it are refused."""

    folder: Path
    at: int = 0
    error: int = 0


@dataclass(frozen=True)
class Ran:
    """How a run ended. ``code`` is minus the signal that killed it; ``calls`` are those that the
    fault's folder saw, if the run came to its end."""

    code: int
    out: str
    err: str
    calls: int


class Run:
    """A process at work."""

    def __init__(self, server: Server, pid: int, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self.pid = pid

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def said(self) -> str:
        """What it has written to standard output and error so far."""
        return "".join((self._folder / name).read_text("utf-8", "replace") for name in _SAID)

    def has_written(self) -> bool:
        """Whether something is on its standard output."""
        return (self._folder / "out").stat().st_size > 0

    def wait(self) -> Ran:
        """Waits for its end."""
        code = self._server.receive()["code"]
        out, err = ((self._folder / name).read_text("utf-8", "replace") for name in _SAID)
        counted = self._folder / "calls"
        return Ran(code, out, err, int(counted.read_text()) if counted.exists() else 0)


_SAID = ("out", "err")


class Server:
    """The process that forks; one run at a time. Use it in a ``with`` block."""

    def __init__(self, library: Path | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="escudo-runs-")
        preload = {} if library is None else {"LD_PRELOAD": str(library)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.program"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=_ROOT,
            env={**os.environ, **preload},
        )
        assert self.receive() == {"ready": True}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()
        self._folder.cleanup()

    def receive(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        reply: dict[str, Any] = json.loads(self._process.stdout.readline())
        return reply

    def start(
        self, *arguments: object, fault: Fault | None = None, stdin: Path | None = None
    ) -> Run:
        """Begins a run of the program with some arguments; bytes stand for names as they are."""
        folder = Path(tempfile.mkdtemp(dir=self._folder.name))
        for name in _SAID:  # they are there before the process gets to open them
            (folder / name).touch()
        asked = {
            "arguments": [a if isinstance(a, str) else os.fsdecode(str(a)) for a in arguments],
            "folder": str(folder),
            "stdin": str(stdin or os.devnull),
            "fault": fault and [str(fault.folder), fault.at, fault.error],
            "environment": {**os.environ, "COLUMNS": "200"},
            "cwd": os.getcwd(),
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return Run(self, self.receive()["pid"], folder)

    def run(self, *arguments: object, fault: Fault | None = None, stdin: Path | None = None) -> Ran:
        """Runs the program with some arguments."""
        return self.start(*arguments, fault=fault, stdin=stdin).wait()


def _serve() -> None:
    main = _preload()
    _reply({"ready": True})
    for line in sys.stdin:
        asked = json.loads(line)
        pid = os.fork()
        if not pid:
            _become(asked, main)
        _reply({"pid": pid})
        _, status = os.waitpid(pid, 0)
        _reply({"code": os.waitstatus_to_exitcode(status)})


def _reply(reply: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(reply) + "\n")
    sys.stdout.flush()


def _preload() -> Any:
    """Imports what the commands need, begins no thread; the program's ``main``."""
    cli = import_module("escudo.cli")
    for name in cli.COMMANDS:
        import_module(f"escudo.cli.commands.{name}")
    for name in ("duckdb", "deltalake", "pyarrow.parquet", "polars", "escudo.lake"):
        import_module(name)
    import_module("escudo.lake.tables").load_tables()
    return cli.main


def _become(asked: dict[str, Any], main: Any) -> None:
    """In the child: runs the program as its console script does."""
    folder = Path(asked["folder"])
    for number, path, flags in (
        (0, asked["stdin"], os.O_RDONLY),
        (1, folder / "out", os.O_WRONLY | os.O_CREAT),
        (2, folder / "err", os.O_WRONLY | os.O_CREAT),
    ):
        os.dup2(os.open(path, flags, 0o644), number)
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["cwd"])
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.argv = ["escudo", *asked["arguments"]]
    if asked["fault"] is not None:
        library: Any = ctypes.CDLL(None)
        library.faults_calls.restype = ctypes.c_long
        path, at, error = asked["fault"]
        # The program may leave without coming back here; what is registered first is done last.
        atexit.register(lambda: (folder / "calls").write_text(str(library.faults_calls())))
        library.faults_arm(os.fsencode(path), ctypes.c_long(at), error)
    main()


if __name__ == "__main__":
    _serve()
