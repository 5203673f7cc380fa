"""Encrypted archives: the password by option, file, variable or prompt; never shown again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run, json_lines
from tests.cli.test_wrong_input import GOOD
from tests.sources.test_archives import aes_zipped, seven_zipped, tarred, weakly_zipped

WRONG = "0ther"
SECRET = "p4ss w\u00f6rd"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    secret = SECRET.encode()
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.7z").write_bytes(seven_zipped(SECRET, hidden=True, **{"a.xml": GOOD.encode()}))
    (logs / "b.zip").write_bytes(aes_zipped(secret, **{"b.xml": GOOD.encode()}))
    (logs / "c.tar").write_bytes(tarred(**{"c.zip": weakly_zipped(secret, "c.xml", GOOD.encode())}))
    (logs / "d.xml").write_text(GOOD)
    return logs


def _hunt(escudo: Run, folder: Path, *options: object) -> tuple[int, int, str]:
    log = folder.parent / "log"
    done = escudo("--log-file", log, "hunt", folder, *options, "--format", "jsonl", "--quiet")
    for text in (done.stdout, done.stderr, log.read_text()):
        assert SECRET not in text
        assert WRONG not in text
    events = sum(row["row"]["count"] for row in json_lines(done.stdout))
    return done.returncode, events, done.stderr


def test_without_and_with_a_wrong_one_the_others_are_read(escudo: Run, folder: Path) -> None:
    code, events, stderr = _hunt(escudo, folder)
    assert (code, events, stderr.count("error[SRC007]")) == (1, 1, 3)
    code, events, stderr = _hunt(escudo, folder, "--password", WRONG)
    assert (code, events, stderr.count("error[SRC016]")) == (1, 1, 3)


@pytest.mark.parametrize("way", ["option", "file", "variable"])
def test_with_the_right_one(
    way: str, escudo: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: list[object] = []
    if way == "option":
        options = ["--password", SECRET]
    elif way == "file":
        file = folder.parent / "words"
        file.write_text(f"{WRONG}\n\n{SECRET}\n")
        options = ["--password-file", file]
    else:
        monkeypatch.setenv("ESCUDO_PASSWORD", SECRET)
    assert _hunt(escudo, folder, *options) == (0, 4, "")
