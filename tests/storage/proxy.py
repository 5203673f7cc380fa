"""A proxy before an S3 server that does what networks and servers do: errors, delays, connections
that end in the middle of an answer or before it, lists that are behind."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Faults:
    """How often each fault happens, as a share of the requests; ``told`` counts them.

    ``unanswered``: the request is carried out, and its answer is lost. ``stale``: a list is the one
    that the same question was answered with before. ``seen`` are the requests.
    """

    seed: int = 1
    errors: float = 0.0
    slow: float = 0.0
    cut: float = 0.0
    unanswered: float = 0.0
    stale: float = 0.0
    slow_seconds: float = 0.3
    told: Counter[str] = field(default_factory=Counter)
    seen: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._lock = threading.Lock()

    def happens(self, name: str) -> bool:
        with self._lock:
            hit = self._chance.random() < float(getattr(self, name))
            self.told[name] += hit
            return hit


@contextmanager
def stand_before(endpoint: str, faults: Faults) -> Iterator[str]:
    """The endpoint of a proxy."""
    target = urlsplit(endpoint).netloc
    lists: dict[str, tuple[int, list[tuple[str, str]], bytes]] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_arguments: object) -> None:
            """Nothing."""

        def _pass(self) -> None:
            faults.told["requests"] += 1
            faults.seen.append(f"{self.command} {self.path}")
            body = self._read_body()
            if faults.happens("errors"):
                self._answer(503, [], b"<Error><Code>SlowDown</Code></Error>")
                return
            if faults.happens("slow"):
                time.sleep(faults.slow_seconds)
            is_list = self.command == "GET" and "list-type=2" in self.path
            if is_list and self.path in lists and faults.happens("stale"):
                self._answer(*lists[self.path])
                return
            status, headers, content = self._forward(body)
            if is_list:
                lists[self.path] = status, headers, content
            if faults.happens("unanswered"):
                self.close_connection = True
                return
            if len(content) > 1 and self.command == "GET" and faults.happens("cut"):
                self._answer(status, headers, content, sent=len(content) // 2)
                self.close_connection = True
                return
            self._answer(status, headers, content)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass  # noqa: N815

        def _read_body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") == "chunked":
                parts = []
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(parts)
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))

        def _forward(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
            skipped = {"transfer-encoding", "content-length", "connection"}
            sent = {k: v for k, v in self.headers.items() if k.lower() not in skipped}
            connection = HTTPConnection(target, timeout=60)
            try:
                connection.request(self.command, self.path, body, sent)
                answer = connection.getresponse()
                content = answer.read()
                keep = [(k, v) for k, v in answer.getheaders() if k.lower() not in skipped]
                if self.command == "HEAD":
                    keep.append(("Content-Length", answer.headers.get("Content-Length", "0")))
                return answer.status, keep, content
            finally:
                connection.close()

        def _answer(
            self,
            status: int,
            headers: list[tuple[str, str]],
            content: bytes,
            sent: int | None = None,
        ) -> None:
            self.send_response_only(status)
            for name, value in headers:
                self.send_header(name, value)
            if self.command != "HEAD":
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content if sent is None else content[:sent])
                self.wfile.flush()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def stand_before_apart(endpoint: str, faults: Faults) -> Iterator[str]:
    """The same in a process of its own; ``faults.told`` is known when the block ends.

    Delta's library holds the interpreter while it restores a table: a proxy among the threads of
    the same process would not answer it.
    """
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_stand, args=(endpoint, asdict(faults), theirs), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send(None)
        faults.told.update(ours.recv())
        process.join()


def _stand(endpoint: str, given: dict[str, Any], pipe: Connection) -> None:
    faults = Faults(**given)
    with stand_before(endpoint, faults) as own:
        pipe.send(own)
        pipe.recv()
    pipe.send(faults.told)
