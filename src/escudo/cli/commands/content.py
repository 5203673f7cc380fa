"""``escudo content``: packs of content from elsewhere, pinned in the user's own data folder."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import click

from escudo.actions.content_packs import (
    PackState,
    Update,
    add_pack,
    list_states,
    remove_pack,
    switch_detections,
    update_pack,
)
from escudo.actions.diff import RowsOf
from escudo.actions.engines import make_engines
from escudo.authoring.store.packs import Store
from escudo.cli import EXIT_INPUT
from escudo.cli.commands.diff import show_difference
from escudo.cli.content_type import FolderType, find_store
from escudo.cli.options import lake_option, open_lake, sources_option
from escudo.cli.output import choose_format, format_option, write_rows
from escudo.cli.progress import show_diagnostics
from escudo.cli.terminal import escape_line
from escudo.core.timerange import ALL_TIME
from escudo.lake.place import LakePlace
from escudo.lake.tables import Tables

_FIELDS = ("name", "kind", "source", "ref", "pin", "detections", "enabled", "updated", "content")
_FORMATS = ("table", "json", "markdown")


@click.group()
def command() -> None:
    """Bring content from elsewhere into a store of your own, pinned, and keep it up to date.

    A pack is a git repository (a URL or a local checkout), an ESCU app package (.tar.gz, .tgz,
    .spl) or a folder. `--content NAME` of every command finds it. It is pinned by its commit, or
    by a digest of its files, and changes only by `escudo content update`, which shows first what
    that would change. Its folder `overlay` is for local changes and stays as it is.
    """


def _store_option(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--store",
        "store",
        type=FolderType("store"),
        callback=lambda context, _option, folder: Store(
            folder if folder is not None else find_store(context)
        ),
        help="Folder of content packs [default: `content` in the user's data folder of escudo].",
    )(function)


@command.command()
@click.argument("source")
@click.option("--name", help="Name of the pack [default: that of the source].")
@click.option("--ref", default="", help="Branch, tag or commit to follow [default: its HEAD].")
@click.option("--path", default="", help="Folder of it that is content.")
@_store_option
@format_option(("table", "jsonl", "json", "csv"))
def add(
    source: str, name: str | None, ref: str, path: str, store: Store, format_: str | None
) -> None:
    """Add SOURCE: a git URL, a checkout, an app's archive, or a folder.

    Of a checkout what is committed is taken. The exit code is 1 if a file of it cannot be loaded;
    the rest is there.
    """
    state = add_pack(store, source, name=name, ref=ref, path=path, now=time.time())
    show_diagnostics(list(state.errors))
    write_rows([_describe(state)], _FIELDS, choose_format(format_))
    if state.errors:
        sys.exit(EXIT_INPUT)


@command.command("list")
@_store_option
@format_option(("table", "jsonl", "json", "csv"))
def list_(store: Store, format_: str | None) -> None:
    """List the packs, with where they are from and what pins them."""
    write_rows(map(_describe, list_states(store)), _FIELDS, choose_format(format_))


def _describe(state: PackState) -> dict[str, Any]:
    pack = state.pack
    return {
        "name": pack.name,
        "kind": pack.origin.kind.value,
        "source": pack.origin.source,
        "ref": pack.origin.ref or None,
        "path": pack.origin.path or None,
        "pin": pack.pin,
        "detections": state.detections,
        "enabled": state.enabled,
        "added": pack.added,
        "updated": pack.updated,
        "content": str(pack.content),
        "overlay": str(pack.overlay),
    }


@command.command()
@click.argument("names", nargs=-1)
@click.option("--ref", help="Branch, tag or commit to follow from now on.")
@click.option("--source", help="Where it is from now on: the archive of a new release, say.")
@click.option("--yes", is_flag=True, help="Take the update; else a terminal is asked.")
@lake_option(required=False, existing=True, text="Run what changes over this lake, count the rows.")
@sources_option
@click.option(
    "--rows",
    "most_rows",
    type=click.IntRange(min=0),
    default=5,
    show_default=True,
    help="Rows won and lost that are shown of a detection.",
)
@_store_option
@format_option(_FORMATS)
def update(
    names: Sequence[str],
    ref: str | None,
    source: str | None,
    yes: bool,
    lake_path: LakePlace | None,
    tables: Tables,
    most_rows: int,
    store: Store,
    format_: str | None,
) -> None:
    """Fetch the packs NAMES (by default all) anew and show what that changes.

    It is taken with --yes, or when a terminal says so. Local changes and the detections that are
    turned on stay; which of them no longer fit is told, and the exit code is 1 then.
    """
    chosen = list(names) or [pack.name for pack in store.list_packs()]
    if len(chosen) != 1 and (source is not None or ref is not None):
        raise click.UsageError("--source and --ref are for one pack: name it")
    shape = choose_format(format_, _FORMATS)
    misfits = 0

    def decide(update: Update) -> bool:
        _show_update(update, shape, most_rows)
        return yes or (
            sys.stdin.isatty() and sys.stderr.isatty() and click.confirm("take it?", err=True)
        )

    with open_lake(lake_path, tables) if lake_path is not None else nullcontext() as lake:
        now = time.time()
        rows_of = None
        if lake is not None:
            engines = make_engines("duckdb")
            rows_of = RowsOf(lake=lake, engine_of=engines, now=now, within=ALL_TIME)
        for name in chosen:
            done = update_pack(
                store, name, source=source, ref=ref, now=now, rows_of=rows_of, decide=decide
            )
            misfits += len(done.misfits)
            click.echo(escape_line(_tell_end(done)), err=True)
    if misfits:
        sys.exit(EXIT_INPUT)


def _show_update(update: Update, shape: str, most_rows: int) -> None:
    if update.difference is not None:
        show_difference(update.difference, shape, most_rows)
    show_diagnostics(list(update.misfits))


def _tell_end(update: Update) -> str:
    name, pin = update.after.name, update.after.short_pin
    if update.difference is None:
        return f"{name}: nothing new, {pin}"
    before, after = update.enabled
    told = f"{update.before.short_pin} -> {pin}; {before:,} -> {after:,} detections are enabled"
    if update.misfits:
        told += f"; {len(update.misfits):,} local changes no longer fit"
    return f"{name}: {told}" if update.taken else f"{name}: not taken (--yes takes it): {told}"


@command.command()
@click.argument("name")
@click.option("--overlay", "with_overlay", is_flag=True, help="Its local changes as well.")
@_store_option
def remove(name: str, with_overlay: bool, store: Store) -> None:
    """Remove the pack NAME.

    Its local changes stay, for when it is added again, unless --overlay is given.
    """
    kept = remove_pack(store, name, with_overlay=with_overlay)
    told = f"; its local changes stay in {store.folder / name}" if kept else ""
    click.echo(escape_line(f"{name} is removed{told}"))


@command.command()
@click.argument("name")
@click.argument("detections", nargs=-1)
@_store_option
def enable(name: str, detections: Sequence[str], store: Store) -> None:
    """Turn DETECTIONS (names or ids, by default all) of the pack NAME on. Updates leave it so."""
    _switch(store, name, detections, on=True)


@command.command()
@click.argument("name")
@click.argument("detections", nargs=-1)
@_store_option
def disable(name: str, detections: Sequence[str], store: Store) -> None:
    """Turn DETECTIONS (names or ids, by default all) of the pack NAME off. Updates leave it so."""
    _switch(store, name, detections, on=False)


def _switch(store: Store, name: str, detections: Sequence[str], *, on: bool) -> None:
    switched = switch_detections(store, name, detections, on=on)
    click.echo(f"{len(switched):,} detections are {'on' if on else 'off'}")
