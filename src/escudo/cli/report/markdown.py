"""A report -> GitHub-flavoured Markdown that reads well as text, too; called by
``escudo hunt --output``.

What comes from logs stands in code spans and code blocks, which nothing in it can end: Markdown,
HTML, links and mentions in it stay text. What comes from content is escaped.
"""

from __future__ import annotations

import re

from escudo.actions.hunt_report import HuntReport
from escudo.cli.report.html import describe, open_templates
from escudo.cli.report.text import show_fields, show_line, show_rows, show_tree
from escudo.cli.terminal import escape_controls

_SPECIAL = re.compile(r"[\\`*_{}\[\]<>|~&#$]")
_LINKED = re.compile(r"\S*(?:@|://|www\.)\S*", re.IGNORECASE)
"""What GitHub makes a link or a mention of, wherever it stands."""
_BACKTICKS = re.compile("`+")
_NUMBERED = re.compile(r"^(\s*)([-+=]|\d+[.)])", re.MULTILINE)


def render_markdown(report: HuntReport) -> str:
    """The report as Markdown, with a line feed at its end."""
    environment = open_templates(autoescape=False)
    environment.filters.update(
        block=show_block,
        cell=show_cell,
        code=show_code,
        fields_text=show_fields,
        prose=escape_prose,
        rows_text=show_rows,
        tree_text=show_tree,
    )
    return environment.get_template("report.md.j2").render(**describe(report))


def show_code(value: object) -> str:
    """A value as a code span in one line; empty for nothing.

    >>> print(show_code("x``y"), show_code("`"))
    ```x``y``` `` ` ``
    """
    text = escape_controls(show_line(value)).strip()
    if not text:
        return ""
    fence = "`" * (max(map(len, _BACKTICKS.findall(text)), default=0) + 1)
    if text.startswith("`") or text.endswith("`"):
        text = f" {text} "
    return f"{fence}{text}{fence}"


def show_cell(value: object) -> str:
    r"""A value as a code span in a cell of a table, whose pipes would end the cell.

    A pipe after a backslash cannot be escaped by another, so it is shown as ``\x7c``.

    >>> print(show_cell("a|b"), show_cell("dir C:\\|more"))
    `a\|b` `dir C:\\x7cmore`
    """
    return show_code(value).replace("\\|", "\\\\x7c").replace("|", "\\|")


def show_block(text: str) -> str:
    """A text as a code block whose fence is longer than any in it.

    >>> print(show_block("a```b"))
    ````text
    a```b
    ````
    """
    text = escape_controls(text)
    fence = "`" * max(3, max(map(len, _BACKTICKS.findall(text)), default=0) + 1)
    return f"{fence}text\n{text}\n{fence}"


def escape_prose(value: object) -> str:
    r"""Text of content in one line: nothing in it is Markdown, HTML, a link or a mention.

    >>> print(escape_prose("*a* <b> me@host | 1"))
    \*a\* \<b\> `me@host` \| 1
    """
    text = escape_controls(show_line(value)).strip()
    out: list[str] = []
    end = 0
    for linked in _LINKED.finditer(text):
        out += [_escape(text[end : linked.start()]), show_code(linked[0])]
        end = linked.end()
    return _NUMBERED.sub(r"\1\\\2", "".join([*out, _escape(text[end:])]))


def _escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text)
