"""A gate before an S3 server, a process that can be killed and begun again at the same address: to
its clients that is a server that dies, and is there again later with all it has kept."""

from __future__ import annotations

import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, Popen
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tests.storage.s3 import find_port

_PIECE = 1 << 16
_ROOT = Path(__file__).parents[2]


class Gate:
    """Hands connections on to an endpoint, while it is open."""

    def __init__(self, endpoint: str) -> None:
        self._target = urlsplit(endpoint).netloc
        self._port = find_port()
        self._process: Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def open(self) -> None:
        """Begins it; it is there when this returns."""
        command = [sys.executable, "-m", __name__, str(self._port), self._target]
        self._process = Popen(command, cwd=_ROOT, stdout=DEVNULL, stderr=DEVNULL)
        while self._process.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 1):
                return
        raise AssertionError("the gate did not open")

    def kill(self) -> None:
        """What is on its way through it is lost, and nobody answers from then on."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(_PIECE):
            target.sendall(piece)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _serve(port: int, host: str, target: int) -> None:
    with socket.create_server(("127.0.0.1", port), backlog=128) as server:
        while True:
            client, _ = server.accept()
            try:
                behind = socket.create_connection((host, target))
            except OSError:
                client.close()
                continue
            for ends in ((client, behind), (behind, client)):
                threading.Thread(target=_pump, args=ends, daemon=True).start()


if __name__ == "__main__":
    _host, _, _target = sys.argv[2].partition(":")
    _serve(int(sys.argv[1]), _host, int(_target))
