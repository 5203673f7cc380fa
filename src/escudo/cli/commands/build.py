"""``escudo build``: a Splunk app from content."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from escudo.actions.build_app import make_app
from escudo.cli.content_type import ContentType, FolderType
from escudo.cli.json_text import dump_json
from escudo.cli.output import choose_format, format_option
from escudo.cli.place_type import PlaceType
from escudo.cli.terminal import escape_line

_FORMATS = ("table", "json")


@click.command()
@click.argument("folders", nargs=-1, type=ContentType(exists=True))
@click.option(
    "--overlay", type=PlaceType("content", exists=True), help="Local changes to build in."
)
@click.option(
    "-o",
    "--output",
    type=FolderType("app"),
    help="Folder that the app is written to [default: dist, below the first of FOLDERS].",
)
@click.option("--appid", help="Id of the app, and name of its folder.")
@click.option("--label", help="What the names of its saved searches begin with.")
@click.option("--version", "version_", help="Version of the app, such as 1.2.0.")
@click.option(
    "--enable",
    "enabled",
    is_flag=True,
    help="Detections run once the app is installed [default: those with enabled_by_default].",
)
@click.option("--unpacked", is_flag=True, help="Write the app's folder beside its archive.")
@format_option(_FORMATS)
def command(
    folders: Sequence[Path],
    overlay: Path | None,
    output: Path | None,
    appid: str | None,
    label: str | None,
    version_: str | None,
    enabled: bool,
    unpacked: bool,
    format_: str | None,
) -> None:
    """Build the content of FOLDERS (by default the folder one is in) into a Splunk app.

    The archive APPID-VERSION.tgz has savedsearches.conf, macros.conf, transforms.conf,
    collections.conf, lookups, analyticstories.conf and app.conf, with the keys that contentctl
    writes and Enterprise Security reads. contentctl.yml says how the app is called. The same
    content gives the same bytes. Macros of the Common Information Model add-on, of Enterprise
    Security and of URL Toolbox are left to these.
    """
    paths = list(folders) or [Path()]
    given = {"appid": appid, "label": label, "version": version_}
    built = make_app(
        paths,
        overlay=overlay,
        given={key: value for key, value in given.items() if value},
        output=output if output is not None else _find_folder(paths[0]) / "dist",
        enabled=enabled,
        unpacked=unpacked,
    )
    app = built.app
    if choose_format(format_, _FORMATS) == "json":
        told = {
            "archive": str(built.archive),
            "appid": app.identity.appid,
            "version": app.identity.version,
            "label": app.identity.label,
            "sha256": built.sha256,
            "files": len(app.files),
            **app.counts,
        }
        sys.stdout.write(dump_json(told, indent=True) + "\n")
        return
    counts = ", ".join(f"{count:,} {name}" for name, count in app.counts.items() if count)
    click.echo(escape_line(str(built.archive)))
    click.echo(f"{counts}; sha256 {built.sha256}")


def _find_folder(path: Path) -> Path:
    return path if path.is_dir() else path.parent
