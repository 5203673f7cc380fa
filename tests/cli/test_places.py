"""A URL where a path is asked for is refused at once, and nothing is made of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from escudo.core.errors import EscudoError
from escudo.lake import Lake
from tests.cli.conftest import Run

URLS = ("s3://bucket/lake", "abfs://c@a.dfs.core.windows.net/x", "gs://b/x", "az://b", "hdfs://n/x")
MAKES = "| makeresults"


@pytest.mark.parametrize(
    "command",
    [
        ("hunt", "LOG", "--lake", "URL"),
        ("hunt", "URL"),
        ("hunt", "LOG", "--content", "URL"),
        ("hunt", "LOG", "--overlay", "URL"),
        ("hunt", "LOG", "--sources", "URL"),
        ("ingest", "LOG", "--lake", "URL"),
        ("search", MAKES, "--lake", "URL"),
        ("baseline", "--lake", "URL"),
        ("explain", MAKES, "--lake", "URL"),
        ("lint", MAKES, "--lake", "URL"),
        ("why", "x", "--near", "1", "--lake", "URL"),
        ("validate", "URL"),
        ("timeline", "LOG", "--lake", "URL"),
        ("tree", "--guid", "x", "--lake", "URL"),
        ("shell", "--lake", "URL"),
        ("lake", "info", "--lake", "URL"),
        ("lake", "repair", "--lake", "URL"),
    ],
    ids=" ".join,
)
def test_every_command(
    command: tuple[str, ...], escudo: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log").write_text("x")
    given = [{"URL": URLS[0], "LOG": "log"}.get(word, word) for word in command]
    done = escudo(*given)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error[SYS006]: s3://bucket/lake is a URL: a ")
    assert [p.name for p in tmp_path.iterdir()] == ["log"]


@pytest.mark.parametrize("url", [*URLS, "https://example.org/lake", "S3://bucket", "unknown://x"])
@pytest.mark.parametrize("of_path", [False, True], ids=["text", "Path"])
def test_every_kind(url: str, of_path: bool) -> None:
    if of_path and url.startswith("unknown"):
        pytest.skip("a Path has one slash, as a folder named like a scheme would")
    with pytest.raises(EscudoError) as caught:
        Lake.open(Path(url) if of_path else url)
    assert caught.value.code == "SYS006"


def test_a_folder_with_a_colon_in_its_name_is_a_folder(tmp_path: Path) -> None:
    with Lake.open(tmp_path / "day:1") as lake:
        assert lake.path == tmp_path / "day:1"
