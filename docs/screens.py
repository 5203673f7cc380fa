"""Makes the screens of the docs: ``python -m docs.screens``.

A generated day is hunted: the summary as a terminal of 100 columns and 30 lines shows it, the
report as a browser does. Without a Chromium there are no pictures of the report, which is said.
"""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from pathlib import Path

from docs.browser import NAMES, Browser, find_browser
from rich.console import Console
from rich.text import Text

HERE = Path(__file__).parent / "screens"
COLUMNS, LINES = 100, 30
EVENTS = 20_000

PICTURES = (
    ("report-light", 1280, 1400, False, "body"),
    ("report-dark", 1280, 1400, True, "#findings"),
    ("report-narrow-light", 400, 900, False, "body"),
    ("report-narrow-dark", 400, 900, True, "#hosts"),
)
"""Name, width and height in pixels, whether dark, what is at the top."""

_FRAME = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g>
</g>
</svg>
"""
"""Rich's picture of a terminal without its font, which would be loaded from elsewhere."""


def main() -> int:
    """Writes the screens; returns an exit code."""
    program = find_browser()
    HERE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="escudo-screens-") as name:
        folder = Path(name)
        _escudo("generate", "--events", str(EVENTS), "--quiet", "--out", "day.xml", folder=folder)
        shown = _escudo("hunt", "day.xml", "--output", "report.html", folder=folder)
        picture_terminal(shown, "escudo hunt day.xml", HERE / "hunt.svg")
        print("hunt.svg")
        if program is None:
            print(f"no pictures of the report: none of {', '.join(NAMES)} is installed")
            return 0
        for picture in picture_report(folder / "report.html", program, HERE):
            print(picture.name)
    return 0


def _escudo(*arguments: str, folder: Path) -> str:
    """What a command shows on a terminal.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    command = [sys.executable, "-m", "escudo.cli", *arguments]
    place = {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LINES": str(LINES), "PAGER": "cat"}
    with subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **place},
    ) as process:
        os.close(theirs)
        shown = b"".join(_read_all(ours))
    os.close(ours)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return shown.decode().replace("\r\n", "\n")


def _read_all(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            piece = os.read(terminal, 1 << 16)
        except OSError:  # Linux: nobody has its other end any more
            return
        if not piece:
            return
        yield piece


def picture_terminal(shown: str, title: str, out: Path) -> None:
    """Writes what a terminal shows as SVG that loads nothing."""
    with open(os.devnull, "w") as nowhere:
        console = Console(width=COLUMNS, record=True, file=nowhere, color_system="standard")
        console.print(Text.from_ansi(shown.rstrip()), soft_wrap=True)
        out.write_text(console.export_svg(title=title, code_format=_FRAME, unique_id="hunt"))


def picture_report(report: Path, program: str, folder: Path) -> Iterator[Path]:
    """Writes a PNG of a report for each of ``PICTURES``."""
    with Browser(program) as browser:
        for name, width, height, dark, top in PICTURES:
            browser.open(report, width=width, height=height, dark=dark)
            picture = folder / f"{name}.png"
            picture.write_bytes(browser.take_picture(top))
            yield picture


if __name__ == "__main__":
    sys.exit(main())
