"""The screens of the docs: they load nothing, and are all there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from docs import screens


def test_a_terminal_is_pictured_without_what_is_elsewhere(tmp_path: Path) -> None:
    out = tmp_path / "hunt.svg"
    screens.picture_terminal("\x1b[31mhigh\x1b[0m  <b>pc1</b>\n", "escudo hunt day.xml", out)
    drawn = out.read_text()
    assert "&lt;b&gt;pc1&lt;/b&gt;" in drawn
    assert re.findall(r"url\((?!#)|@import|href", drawn) == []
    assert set(re.findall(r"https?://[^\"]+", drawn)) == {"http://www.w3.org/2000/svg"}


def test_without_a_browser_it_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(screens, "HERE", tmp_path)
    monkeypatch.setattr(screens, "find_browser", lambda: None)
    monkeypatch.setattr(screens, "_escudo", lambda *_, **__: "shown\n")
    assert screens.main() == 0
    assert "none of chromium, " in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["hunt.svg"]


def test_the_docs_show_what_is_there() -> None:
    text = (screens.HERE.parent / "report.md").read_text()
    shown = re.findall(r"!\[[^\]]*\]\(screens/([^)]+)\)", text)
    assert shown
    assert [name for name in shown if not (screens.HERE / name).exists()] == []
