"""Fetching test data from a server of our own: what is kept, what is tried again, the limits."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from escudo.core.errors import EscudoError
from escudo.detect.downloads import Downloader, DownloadLimits


class _Handler(http.server.BaseHTTPRequestHandler):
    counts: dict[str, int]

    def do_GET(self) -> None:
        seen = self.counts[self.path] = self.counts.get(self.path, 0) + 1
        if self.path == "/busy" and seen < 3:
            self.send_error(503)
        elif self.path == "/gone":
            self.send_error(404)
        elif self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/data")
            self.end_headers()
        elif self.path == "/slow":
            self.send_response(200)
            self.end_headers()
            for _ in range(30):
                self.wfile.write(b"x")
                time.sleep(0.1)
        elif self.path == "/broken" and seen < 2:
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"half")
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"events" * 10)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[tuple[str, dict[str, int]]]:
    """The address of a server, and how often each of its paths was asked for."""
    counts: dict[str, int] = {}
    handler = type("Handler", (_Handler,), {"counts": counts})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", counts
        server.shutdown()


Site = tuple[str, dict[str, int]]


@pytest.mark.parametrize(("path", "asked"), [("/data", 1), ("/busy", 3), ("/broken", 2)])
def test_what_fails_for_a_moment_is_tried_again(
    path: str, asked: int, site: Site, tmp_path: Path
) -> None:
    url, counts = site
    target = tmp_path / "made" / "f"
    Downloader(pause_seconds=0.01)(url + path, target)
    assert target.read_bytes() == b"events" * 10
    assert counts[path] == asked
    assert [p.name for p in target.parent.iterdir()] == ["f"]


def test_redirects_are_followed(site: Site, tmp_path: Path) -> None:
    Downloader()(site[0] + "/moved", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == b"events" * 10


@pytest.mark.parametrize(
    ("path", "limits", "told"),
    [
        ("/gone", DownloadLimits(), "404 Not Found"),
        ("/data", DownloadLimits(most_bytes=59), "more than 59 bytes"),
        ("/slow", DownloadLimits(most_seconds=0.3), "takes more than 0 s"),
    ],
)
def test_what_is_not_fetched_leaves_nothing(
    path: str, limits: DownloadLimits, told: str, site: Site, tmp_path: Path
) -> None:
    with pytest.raises(EscudoError, match=told) as error:
        Downloader(limits, pause_seconds=0.01)(site[0] + path, tmp_path / "f")
    assert error.value.code == "DET110"
    assert list(tmp_path.iterdir()) == []
    assert site[1][path] == 1


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(EscudoError, match="cannot be fetched") as error:
        Downloader(pause_seconds=0.01)("http://127.0.0.1:1/x", tmp_path / "f")
    assert error.value.code == "DET110"
