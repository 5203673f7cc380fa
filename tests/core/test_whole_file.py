"""A file is there whole or stays as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from escudo.core.errors import EscudoError
from escudo.core.whole_file import write_whole


def test_a_file_is_replaced_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("old")
    with write_whole(path) as stream:
        stream.write(b"new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_is_stopped_leaves_the_file_as_it_was(
    error: type[BaseException], tmp_path: Path
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("old")

    def write() -> None:
        with write_whole(path) as stream:
            stream.write(b"half")
            raise error

    with pytest.raises(error):
        write()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written_is_coded(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "rows.csv"
    with pytest.raises(EscudoError, match="SYS002"), write_whole(path) as stream:
        stream.write(b"new")


def test_a_device_is_written_itself() -> None:
    with write_whole(Path("/dev/null")) as stream:
        assert stream.name == "/dev/null"
