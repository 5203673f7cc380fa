"""``escudo demo --serve``: the generated day, in a server, with its findings in the queue."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.serve.running import follow_start

pytestmark = pytest.mark.slow


def test_the_day_is_served_and_again_as_it_was(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    command = [sys.executable, "-m", "escudo.cli", "demo", "--serve", "--port", "0"]
    command += ["--lake", str(lake), "--events", "5000"]
    counts = []
    for _ in range(2):
        process = subprocess.Popen(
            command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        try:
            url, told = follow_start(process)
            login = re.search(r"log in as (\S+) with the password (\S+)", "".join(told))
            assert login is not None
            auth = (login[1], login[2])
            assert "told this once" not in "".join(told)
            found = httpx.get(f"{url}/api/findings", auth=auth, timeout=60).json()
            counts.append(found["total"])
            me = httpx.get(f"{url}/api/me", auth=auth, timeout=60).json()
            assert me["roles"] == ["admin"]
        finally:
            process.terminate()
            process.wait(60)
    assert counts[0] > 0
    assert counts[1] == counts[0]
