"""The files of ``deploy/``: syntax, what they name, their commands without a container."""

from __future__ import annotations

import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.cli.conftest import json_lines
from tests.cli.test_wrong_input import GOOD
from tests.serve.running import follow_start

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
INSTRUCTIONS = frozenset(
    {"FROM", "RUN", "COPY", "ENV", "LABEL", "USER", "WORKDIR", "VOLUME", "ENTRYPOINT", "CMD"}
)


def read_instructions() -> list[tuple[str, str]]:
    """The instructions of the Containerfile; lines that end with a backslash go on."""
    text = (DEPLOY / "Containerfile").read_text()
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [
        (line.split(None, 1)[0], line.split(None, 1)[1]) for line in joined.splitlines() if line
    ]


def test_the_containerfile() -> None:
    found = read_instructions()
    assert {name for name, _ in found} <= INSTRUCTIONS
    bases = [value.split()[0] for name, value in found if name == "FROM"]
    assert all(re.fullmatch(r"[\w./]+:\d+\.\d+\.\d+-[\w-]+", base) for base in bases)
    for name, value in found:
        if name == "COPY" and not value.startswith("--from"):
            *sources, _target = value.split()
            assert all((ROOT / source).exists() for source in sources)
        if name in ("VOLUME", "ENTRYPOINT", "CMD"):
            assert all(isinstance(word, str) for word in json.loads(value))
    names = [name for name, _ in found]
    (user,) = (value for name, value in found if name == "USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    assert names.index("USER") < names.index("ENTRYPOINT")
    assert any("--require-hashes" in value for name, value in found if name == "RUN")


def test_the_shell_commands_of_the_containerfile() -> None:
    for name, value in read_instructions():
        if name == "RUN":
            done = subprocess.run(["sh", "-n", "-c", value], capture_output=True, check=False)
            assert (done.returncode, done.stderr) == (0, b"")


def test_what_is_taken_of_the_lock() -> None:
    """The command that leaves Spark out leaves out nothing else."""
    (command,) = (v for n, v in read_instructions() if n == "RUN" and "awk" in v)
    program = command.split("&&")[0].split(">")[0].replace("requirements.lock", "")
    lock = (ROOT / "requirements.lock").read_bytes()
    done = subprocess.run(["sh", "-c", program], input=lock, capture_output=True, check=True)

    def pinned(text: str) -> set[str]:
        return set(re.findall(r"^([\w.-]+)==", text, re.MULTILINE))

    left_out = pinned(lock.decode()) - pinned(done.stdout.decode())
    assert left_out == {"pyspark", "py4j"}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_the_units(tmp_path: Path) -> None:
    """As systemd reads them, with a program that is there."""
    for unit in ("escudo.service", "escudo.timer", "escudo-server.service"):
        text = (DEPLOY / unit).read_text().replace("/opt/escudo/bin/escudo", sys.executable)
        (tmp_path / unit).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=False,
    )
    told = [line for line in done.stderr.splitlines() if "escudo" in line]
    assert (done.returncode, told) == (0, [])


@pytest.mark.slow
def test_the_command_of_the_service(tmp_path: Path) -> None:
    """Twice: what the lake has is not read anew; nothing is written but in its folders."""
    text = (DEPLOY / "escudo.service").read_text()
    places = {"%S": tmp_path / "state", "%C": tmp_path / "cache", "%L": tmp_path / "logs"}
    for specifier, folder in places.items():
        (folder / "escudo").mkdir(parents=True)
        text = text.replace(specifier, str(folder))
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "good.xml").write_text(GOOD)
    text = text.replace("/srv/escudo/inbox", str(inbox)).replace("/etc/escudo", str(DEPLOY))
    variables = dict(
        word.split("=", 1)
        for line in re.findall(r"^Environment=(.*)$", text, re.MULTILINE)
        for word in line.split()
    )
    (start,) = re.findall(r"^ExecStart=\S+ (.*)$", text, re.MULTILINE)
    command = start.replace("--earliest=-24h", "--earliest=2024-01-01T00:00:00Z").split()
    for known in (False, True):
        done = subprocess.run(
            [sys.executable, "-m", "escudo.cli", *command],
            env={**os.environ, **variables, "HOME": "/nonexistent"},
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        (row,) = json_lines(done.stdout)
        assert row["detection"] == "Process Execution via WMI"
        events = [r["event"] for r in json_lines((places["%L"] / "escudo/escudo.log").read_text())]
        assert ("known file" in events) is known
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cache", "inbox", "logs", "state"]


@pytest.mark.slow
def test_the_command_of_the_server(tmp_path: Path) -> None:
    """It answers, and ends by SIGTERM as what has done its work does."""
    text = (DEPLOY / "escudo-server.service").read_text()
    (start,) = re.findall(r"^ExecStart=\S+ (.*)$", text, re.MULTILINE)
    command = start.replace("%S", str(tmp_path)).replace("--port 8443", "--port 0")
    command = command.replace("--syslog-tls 6514", "--syslog-tls 0")
    process = subprocess.Popen(
        [sys.executable, "-m", "escudo.cli", *command.split()],
        env={**os.environ, "ESCUDO_CACHE": str(tmp_path / "cache"), "HOME": "/nonexistent"},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    try:
        url, told = follow_start(process)
        assert "first log-in: user admin" in "".join(told)
        port = url.rpartition(":")[2]
        context = ssl.create_default_context(cafile=tmp_path / "escudo/lake/tls/certificate.pem")
        with urllib.request.urlopen(f"https://localhost:{port}/api/health", context=context) as got:
            assert got.status == 200
        process.terminate()
        assert process.wait(60) == 0
    finally:
        if process.poll() is None:
            process.kill()
