"""``escudo new``: a content file in the current format, from options or asked for."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from escudo import content as contents
from escudo.actions.engines import make_engines
from escudo.actions.new_element import NewElement, make_element
from escudo.actions.workspace import Workspace
from escudo.authoring.scaffold.fields import FIELDS, Field, Shape
from escudo.cli.content_type import FolderType
from escudo.cli.options import content_options
from escudo.cli.terminal import escape_controls, escape_line, open_stderr
from escudo.content import Content
from escudo.content.roots import FOLDERS
from escudo.core.errors import EscudoError
from escudo.lake import Lake

_ABOUT: Mapping[str, str] = {
    "detection": "A detection, and the macro that filters what it finds.",
    "macro": "A search macro.",
    "lookup": "A lookup: a CSV file with its definition, or a collection of the KV store.",
    "story": "An analytic story: the threat that a set of detections is about.",
    "baseline": "A baseline: a search that learns what is usual.",
    "data_source": "A data source: where the events of a detection come from.",
}


@click.group()
def command() -> None:
    """Write a content file in the current format (ESCU 5), which `escudo validate` accepts.

    What is not given is asked for on a terminal; elsewhere it has its default, or is an error where
    there is none. The file's name follows from the element's. Nothing is ever overwritten.
    """


def _option(field: Field) -> Callable[[Any], Any]:
    """The option of a field. Its default comes later, so that what is not given can be asked."""
    about = field.about
    if field.default not in (None, "") and "[default:" not in about:
        about = f"{about} [default: {field.default}]"
    kind: Any = click.STRING
    if field.choices:
        kind = click.Choice(field.choices, case_sensitive=False)
    elif field.shape is Shape.NUMBER:
        kind = click.INT
    return click.option(
        field.option,
        field.name,
        type=kind,
        multiple=field.shape is Shape.TEXTS,
        help=about,
    )


def _make_command(kind: str) -> click.Command:
    @click.pass_context
    def run(
        context: click.Context,
        /,
        name: str | None,
        root: Path,
        content_paths: Sequence[Path],
        overlay: Path | None,
        shown: bool,
        **given: Any,
    ) -> None:
        asks = sys.stdin.isatty() and sys.stderr.isatty()
        named = name or (_ask_name() if asks else None)
        if named is None:
            raise EscudoError("AUT003", f"the {kind} has no name")
        answers = {
            field.name: _answer(
                field, given[field.name], asks=asks and not given.get(field.instead)
            )
            for field in FIELDS[kind]
        }
        content = _load(root, content_paths, overlay)
        with Lake.create_temporary() as lake:
            workspace = Workspace(
                content=content, lake=lake, engine_of=make_engines("duckdb"), now=time.time()
            )
            made = make_element(
                kind, named, answers, workspace=workspace, root=root, write=not shown
            )
        _show(made, root, shown=shown)

    function: Any = run
    for field in reversed(FIELDS[kind]):
        function = _option(field)(function)
    function = click.option(
        "--stdout", "shown", is_flag=True, help="Print the files, write nothing."
    )(function)
    function = content_options(function)
    function = click.option(
        "--root",
        type=FolderType("content"),
        default=Path(),
        help="The content repository [default: the folder one is in].",
    )(function)
    function = click.argument("name", required=False)(function)
    return click.command(kind, help=_ABOUT[kind])(function)


def _ask_name() -> str:
    return str(click.prompt("name", err=True))


def _answer(field: Field, given: Any, *, asks: bool) -> Any:
    """What is given, what is answered, or the default.

    Raises:
        EscudoError: AUT003 where there is none of them.
    """
    several = field.shape is Shape.TEXTS
    if given not in (None, ()):
        return given
    if asks and (field.asked or field.needed):
        return _ask(field)
    if field.needed:
        raise EscudoError("AUT003", f"{field.option} is missing", hint=field.about)
    return () if several else field.default


def _ask(field: Field) -> Any:
    text = f"{field.name.replace('_', ' ')} - {field.about.removesuffix('.')}"
    if field.shape is Shape.TEXTS:
        text = text.replace("; repeatable", "; several with commas between")
        choices = f" ({', '.join(field.choices)})" if field.choices else ""
        said = click.prompt(f"{text}{choices}", default="", show_default=False, err=True)
        return tuple(part.strip() for part in said.split(",") if part.strip())
    kind = click.Choice(field.choices, case_sensitive=False) if field.choices else str
    default = None if field.needed else field.default or ""
    return click.prompt(text, default=default, show_default=bool(default), type=kind, err=True)


def _load(root: Path, paths: Sequence[Path], overlay: Path | None) -> Content:
    """The repository's content over that which is given, over Escudo's own."""
    own = [root] if any((root / name).is_dir() for name in FOLDERS) else []
    return contents.load([*paths, *own], overlay=overlay)


def _show(made: NewElement, root: Path, *, shown: bool) -> None:
    if shown:
        for file in made.files:
            text = file.data.decode("utf-8", "replace")
            click.echo(
                f"# {file.path}\n{text if not sys.stdout.isatty() else escape_controls(text)}"
            )
        return
    for path in made.written:
        click.echo(escape_line(str(path)))
    for file in made.files:
        if root / file.path not in made.written:
            open_stderr().print(escape_line(f"{root / file.path} is there already: it stays"))


for _kind in FIELDS:
    command.add_command(_make_command(_kind))
