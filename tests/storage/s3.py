"""An S3 server of its own for tests (moto's), in a process that can be stopped and killed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import httpx

BUCKET = "logs"
_START_SECONDS = 60.0


def find_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make_environment(endpoint: str) -> Mapping[str, str]:
    """What a client of a server at an endpoint has in its environment."""
    return {
        "AWS_ACCESS_KEY_ID": "escudo-test",
        "AWS_SECRET_ACCESS_KEY": "a-secret-that-nobody-writes-down",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint,
    }


@contextmanager
def serve() -> Iterator[str]:
    """The endpoint of a server with an empty bucket."""
    port = find_port()
    code = (
        "import logging, moto.server as s; logging.disable(); "
        f"s.main(['-H', '127.0.0.1', '-p', '{port}'])"
    )
    endpoint = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": ""},
    )
    try:
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            with suppress(httpx.HTTPError):
                assert httpx.put(f"{endpoint}/{BUCKET}").status_code == 200
                break
            time.sleep(0.1)
        else:
            raise AssertionError("moto's server did not start")
        yield endpoint
    finally:
        process.kill()
        process.wait()


def empty(endpoint: str) -> None:
    """Takes everything out of the server, and makes the bucket anew."""
    assert httpx.post(f"{endpoint}/moto-api/reset").status_code == 200
    assert httpx.put(f"{endpoint}/{BUCKET}").status_code == 200
