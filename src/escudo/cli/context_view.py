"""What is around a row -> lines for people; called by ``escudo hunt``, ``demo`` and ``tree``."""

from __future__ import annotations

import pyarrow as pa
from rich.console import Console
from rich.table import Table
from rich.text import Text

from escudo.actions.context import Context
from escudo.actions.shown_rows import show_value
from escudo.cli.terminal import escape_line, plain
from escudo.core.errors import Diagnostic
from escudo.findings.tree import Tree

_ROWS_A_DRILLDOWN = 20
_FIELDS_A_DRILLDOWN = 10
_RAW_FIELDS = ("_time", "host", "sourcetype", "_raw")


def show_context(context: Context, console: Console, *, title: str) -> None:
    """The process trees, under a title, and the drilldowns with their first rows."""
    for tree in context.trees:
        console.print()
        console.print(title, style="italic")
        show_tree(tree, console)
    for run in context.drilldowns:
        console.print()
        console.print(plain(f"Drilldown: {run.drilldown.name}", style="italic"), soft_wrap=True)
        if isinstance(run.outcome, Diagnostic):
            console.print(plain(run.outcome.render()), soft_wrap=True)
        else:
            _show_rows(run.outcome.table, console)


def _show_rows(found: pa.Table, console: Console) -> None:
    """The first rows and fields; of raw events those that say most."""
    fields = [n for n in _RAW_FIELDS if n in found.column_names]
    if "_raw" not in fields:
        fields = found.column_names[:_FIELDS_A_DRILLDOWN]
    rows = found.slice(0, _ROWS_A_DRILLDOWN).to_pylist()
    table = Table(pad_edge=False)
    for field in fields:
        table.add_column(plain(field), overflow="fold", no_wrap=field == "_raw")
    for row in rows:
        table.add_row(*(plain(_show_cell(field, row[field])) for field in fields))
    console.print(table if rows else Text("nothing", style="dim"))
    left = (
        (found.num_rows - len(rows), "rows"),
        (len(found.column_names) - len(fields), "fields"),
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


def _show_cell(field: str, value: object) -> str:
    shown = show_value(field, value)
    if shown is None:
        return ""
    return "\n".join(map(str, shown)) if isinstance(shown, list) else str(shown)
