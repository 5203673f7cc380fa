"""Who sees some indexes is told nothing of the others by the pages and routes around searches."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.serve.conftest import make_users
from tests.serve.events import fill_lake
from tests.serve.running import RunningServer, run_server

pytestmark = pytest.mark.slow

SEEN, OTHER = "hr", "windows"


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server whose viewers see one index; its lake has others."""
    folder = tmp_path_factory.mktemp("limited")
    fill_lake(folder / "lake", folder)
    limits = folder / "limits.toml"
    limits.write_text(f'[roles.viewer]\nindexes = ["{SEEN}"]\n')
    with run_server(folder / "lake", ["--no-schedule", "--limits", str(limits)]) as running:
        make_users(running.lake)
        yield running


def list_indexes(server: RunningServer, name: str) -> set[str]:
    with server.client(name) as client:
        asked = {"by": "index", "window": "all"}
        return {row["name"] for row in client.get("/api/sources", params=asked).json()["rows"]}


def complete_indexes(server: RunningServer, name: str) -> set[str]:
    with server.client(name) as client:
        typed = {"search": "index=", "cursor": 6}
        items = client.post("/api/language/complete", json=typed).json()["items"]
        return {item["text"].removeprefix("index=").strip() for item in items}


def test_sources_are_those_of_the_indexes_that_one_sees(limited: RunningServer) -> None:
    assert list_indexes(limited, "admin") == {OTHER}
    assert list_indexes(limited, "viewer") == set()
    with limited.client("viewer") as viewer:
        page = viewer.get("/sources", params={"by": "index", "window": "all"}).text
    assert f">{OTHER}<" not in page
    assert "inputs rejected" not in page


def test_completion_names_the_indexes_that_one_sees(limited: RunningServer) -> None:
    assert OTHER in complete_indexes(limited, "admin")
    assert OTHER not in complete_indexes(limited, "viewer")


def test_rejected_input_is_for_those_who_see_every_index(limited: RunningServer) -> None:
    with limited.client("viewer") as viewer, limited.client("admin") as admin:
        refused = viewer.get("/api/sources/rejected")
        assert (refused.status_code, refused.json()["messages"][0]["code"]) == (403, "SRV076")
        assert admin.get("/api/sources/rejected").status_code == 200
