"""What is around a row -> lines for people; called by ``escudo hunt``, ``demo`` and ``tree``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from escudo.actions.context import Context
from escudo.actions.shown_rows import show_value
from escudo.cli.terminal import escape_line, plain
from escudo.core.errors import Diagnostic
from escudo.findings.tree import Tree

_ROWS_A_DRILLDOWN = 20


def show_context(context: Context, console: Console, *, title: str) -> None:
    """The process trees, under a title, and the drilldowns with their first rows."""
    for tree in context.trees:
        console.print()
        console.print(title, style="italic")
        show_tree(tree, console)
    for run in context.drilldowns:
        console.print()
        name = f"Drilldown: {run.drilldown.name}"
        if isinstance(run.outcome, Diagnostic):
            console.print(plain(name), style="italic")
            console.print(plain(run.outcome.render()), soft_wrap=True)
            continue
        found = run.outcome.table
        rows = [
            [_show_cell(field, value) for field, value in row.items()]
            for row in found.slice(0, _ROWS_A_DRILLDOWN).to_pylist()
        ]
        console.print(_build_table(found.column_names, rows, name))
        if found.num_rows > len(rows):
            console.print(f"... and {found.num_rows - len(rows):,} more rows", style="dim")


def show_tree(tree: Tree, console: Console) -> None:
    """A process a line, cut to the width of the console."""
    for line in tree.root.lines():
        console.print(plain(escape_line(f"  {line}")), no_wrap=True, overflow="ellipsis")
    if tree.truncated:
        console.print("  ... and more processes", style="dim")


def _show_cell(field: str, value: object) -> str:
    shown = show_value(field, value)
    if shown is None:
        return ""
    return "\n".join(map(str, shown)) if isinstance(shown, list) else str(shown)


def _build_table(fields: Sequence[str], rows: Iterable[Sequence[str]], title: str) -> Table:
    table = Table(title=plain(title), title_justify="left", pad_edge=False)
    for name in fields:
        table.add_column(plain(name), overflow="fold")
    for row in rows:
        table.add_row(*(plain(value) for value in row))
    return table
