"""splunk-sdk over a server with events."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import splunklib.client

from tests.serve.conftest import make_users
from tests.serve.events import fill_lake
from tests.serve.running import PASSWORD, RunningServer, run_server


@pytest.fixture(scope="session")
def splunk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server over a lake with events, with TLS as Splunk's management port has it."""
    folder: Path = tmp_path_factory.mktemp("splunk")
    fill_lake(folder / "lake", folder)
    with run_server(folder / "lake", ["--no-schedule", "--tls"]) as running:
        make_users(folder / "lake")
        yield running


def connect(server: RunningServer, user: str = "admin", **more: object) -> splunklib.client.Service:
    place = urlsplit(server.url)
    named = {} if "splunkToken" in more or "cookie" in more else {"password": PASSWORD}
    return splunklib.client.connect(
        scheme=place.scheme,
        host=place.hostname,
        port=place.port,
        **({"username": user} if named else {}),
        **named,
        **more,
    )


@pytest.fixture
def service(splunk: RunningServer) -> splunklib.client.Service:
    """An administrator's connection."""
    return connect(splunk)
