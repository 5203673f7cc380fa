"""Text of logs, content and messages -> text and consoles that a terminal shows and does not obey;
all of the command line writes by it.

What a log or a file name holds is an attacker's. Control characters (ESC and OSC sequences, C1),
those that reorder text (bidirectional controls) and those that nothing shows (zero width) are shown
as escapes; Rich's markup and emoji codes in such text stay text. Formats for machines do not come
here.
"""

from __future__ import annotations

import io
import re
import shutil
import sys
from collections.abc import Callable, Iterable
from typing import IO, Any

import click
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

_PIPE_WIDTH = 200
"""Columns where there is no terminal: wide enough that nothing is folded away."""

_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and line feed, DEL, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional controls
    "\u2028\u2029"  # line and paragraph separators
    "\ud800-\udfff"  # bytes of a file name that are no UTF-8
    # what nothing shows: Unicode's Default_Ignorable_Code_Point, and marks of annotations
    "\xad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u206f\u3164\ufe00-\ufe0d"
    "\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    # joiners and the variations of emoji, but where a script or an emoji is written with them
    "|(?<![\u0600-\u0dff\u1000-\u109f\u1780-\u17b3\u17b6-\u17ff\u2190-\u2bff\ufe0f"
    "\U0001f000-\U0001faff])[\u200c\u200d\ufe0e\ufe0f]"
)


def escape_controls(text: str) -> str:
    r"""The text with every character that a terminal obeys, or does not show, as an escape; line
    feeds and tabs stay.

    >>> print(escape_controls("a\x1b[31mb\u202ec"))
    a\x1b[31mb\u202ec
    """
    return _OBEYED.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def escape_line(text: str) -> str:
    r"""As ``escape_controls``, and line feeds, too: such text cannot pretend to be another line.

    >>> print(escape_line("a\nb"))
    a\nb
    """
    return escape_controls(text).replace("\n", "\\n")


def plain(text: str, style: str = "") -> Text:
    """Text for a table's cell or a line: escaped before its width is measured, never markup."""
    return Text(escape_controls(text), style=style)


class SafeConsole(Console):
    """A console that reads no markup in text, and escapes whatever comes to it unescaped."""

    def __init__(self, file: IO[str], **settings: Any) -> None:
        super().__init__(file=file, highlight=False, markup=False, emoji=False, **settings)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """The segments of something to print; those that are the console's own stay as they are."""
        if isinstance(renderable, str):
            renderable = escape_controls(renderable)
        for segment in super().render(renderable, options):
            if segment.control or not _OBEYED.search(segment.text):
                yield segment
            else:
                yield segment._replace(text=escape_controls(segment.text))


def open_console(stream: IO[str] | None = None) -> SafeConsole:
    """A console as wide as the terminal; in a pipe wide enough that nothing is folded away."""
    target = stream or sys.stdout
    return SafeConsole(target, width=None if target.isatty() else _PIPE_WIDTH)


def show_paged(show: Callable[[SafeConsole], None]) -> None:
    """What ``show`` prints, on standard output; on a terminal through the user's pager."""
    if not sys.stdout.isatty():
        show(open_console())
        return
    text = io.StringIO()
    width, height = shutil.get_terminal_size()
    show(SafeConsole(text, width=width, height=height, force_terminal=True))
    click.echo_via_pager(text.getvalue())


def open_stderr() -> SafeConsole:
    """Standard error, for messages: lines are not folded."""
    return SafeConsole(sys.stderr, soft_wrap=True)
