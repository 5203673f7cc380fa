"""``escudo user`` and ``escudo token``, at a lake whose server runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import json_lines
from tests.serve.running import PASSWORD, RunningServer

pytestmark = pytest.mark.slow


def run(
    server: RunningServer, *arguments: str, given: str = ""
) -> subprocess.CompletedProcess[str]:
    """A command over the lake of a server."""
    group, name, *rest = arguments
    command = [sys.executable, "-m", "escudo.cli", group, name, "--lake", str(server.lake), *rest]
    return subprocess.run(command, input=given, capture_output=True, text=True, check=False)


def test_a_user_from_the_command_line(server: RunningServer) -> None:
    options = ["pia", "--role", "analyst", "--password-file", "-"]
    assert run(server, "user", "add", *options, given=f"{PASSWORD}\n").returncode == 0
    taken = run(server, "user", "add", *options, given=f"{PASSWORD}\n")
    assert (taken.returncode, "SRV001" in taken.stderr) == (1, True)
    rows = json_lines(run(server, "user", "list", "--format", "jsonl").stdout)
    (row,) = (row for row in rows if row["name"] == "pia")
    assert (row["roles"], row["must_change"]) == (["analyst"], True)
    with server.client("pia") as client:
        assert client.get("/api/me").json()["must_change"] is True
        done = run(server, "user", "passwd", "pia", "--password-file", "-", given="too short\n")
        assert "SRV003" in done.stderr
        assert run(server, "user", "disable", "pia").returncode == 0
        assert client.get("/api/me").status_code == 401
    last = run(server, "user", "disable", "admin")
    assert "SRV090" in last.stderr


def test_a_token_from_the_command_line(server: RunningServer) -> None:
    made = run(server, "token", "add", "robot", "--kind", "api", "--role", "viewer")
    (row,) = json_lines(made.stdout)
    headers = {"Authorization": f"Bearer {row['token']}"}
    me = httpx.get(f"{server.url}/api/me", headers=headers).json()
    assert (me["name"], me["roles"]) == ("admin", ["viewer"])
    listed = run(server, "token", "list", "--format", "jsonl").stdout
    assert "robot" in listed
    assert row["token"] not in listed
    assert run(server, "token", "revoke", str(row["id"])).returncode == 0
    assert httpx.get(f"{server.url}/api/me", headers=headers).status_code == 401


def test_a_folder_without_a_lake_stays_as_it_is(tmp_path: Path) -> None:
    """A state alone would have `escudo serve` take it for the folder of something else."""
    for arguments in (["token", "list"], ["user", "list"], ["status"], ["suppress", "list"]):
        command = [sys.executable, "-m", "escudo.cli", *arguments, "--lake", str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, "LAK002" in done.stderr) == (1, True), arguments
    assert [*tmp_path.iterdir()] == []
