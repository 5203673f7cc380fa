"""A URL where a path is asked for is refused at once, and nothing is made of it; so is a lake at a
URL without a ledger."""

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
    told = (
        "LAK029]: s3://bucket/lake has no" if "--lake" in command else "SYS006]: s3://bucket/lake"
    )
    assert done.stderr.startswith(f"error[{told}")
    assert [p.name for p in tmp_path.iterdir()] == ["log"]


@pytest.mark.parametrize("url", [*URLS, "https://example.org/lake", "S3://bucket"])
def test_a_path_made_of_a_url(url: str) -> None:
    """A ``Path`` has one slash where the URL had two."""
    with pytest.raises(EscudoError) as caught:
        Lake.open(Path(url))
    assert caught.value.code == "SYS006"


@pytest.mark.parametrize("url", ["https://example.org/lake", "unknown://x", "s3://", "s3://b/a b"])
def test_a_url_of_no_storage(url: str) -> None:
    with pytest.raises(EscudoError) as caught:
        Lake.open(url)
    assert caught.value.code == "STO003"


@pytest.mark.parametrize("url", URLS)
def test_a_url_without_a_ledger(url: str) -> None:
    with pytest.raises(EscudoError) as caught:
        Lake.open(url)
    assert caught.value.code == "LAK029"


def test_a_folder_with_a_colon_in_its_name_is_a_folder(tmp_path: Path) -> None:
    with Lake.open(tmp_path / "day:1") as lake:
        assert lake.path == tmp_path / "day:1"
