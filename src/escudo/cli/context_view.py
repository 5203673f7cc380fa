"""What is around a row -> lines for people; called by ``escudo hunt``, ``demo`` and ``tree``."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from escudo.actions.context import Context, RunDrilldown
from escudo.cli.row_view import Layout, show_rows
from escudo.cli.terminal import SafeConsole, escape_line, plain
from escudo.findings.tree import Tree

_RAW_FIELDS = ("_time", "host", "sourcetype", "_raw")


def show_context(context: Context, console: SafeConsole, *, title: str) -> None:
    """The process trees, under a title, and the drilldowns with their first rows."""
    if context.problem is not None:
        console.print(plain(context.problem.render()), soft_wrap=True)
    for tree in context.trees:
        console.print()
        console.print(title, style="italic")
        show_tree(tree, console)
    for run in context.drilldowns:
        console.print()
        console.print(plain(f"Drilldown: {run.drilldown.name}", style="italic"), soft_wrap=True)
        if run.problem is not None:
            console.print(plain(run.problem.render()), soft_wrap=True)
        else:
            _show_rows(run, console)


def _show_rows(run: RunDrilldown, console: SafeConsole) -> None:
    """The first rows; of raw events the fields that say most."""
    if not run.rows:
        console.print(Text("nothing", style="dim"))
        return
    raw = "_raw" in run.fields
    fields = [name for name in _RAW_FIELDS if name in run.fields] if raw else run.fields
    rows = ({name: row[name] for name in fields if name in row} for row in run.rows)
    show_rows(rows, fields, console, Layout.AUTO, advise=False)
    left = (
        (run.total - len(run.rows), "rows"),
        (len(run.fields) - len(fields), "fields"),
    )
    told = " and ".join(f"{count:,} more {what}" for count, what in left if count)
    if told:
        console.print(f"... {told}", style="dim")


def show_tree(tree: Tree, console: Console) -> None:
    """A process a line, cut to the width of the console."""
    for line in tree.root.lines():
        console.print(plain(escape_line(f"  {line}")), no_wrap=True, overflow="ellipsis")
    if tree.truncated:
        console.print("  ... and more processes", style="dim")
