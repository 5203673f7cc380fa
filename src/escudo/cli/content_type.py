"""What the command line gives as content: a path, or the name of a content pack -> a path; the type
of such options."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click
from platformdirs import user_data_path

from escudo.cli.place_type import PlaceType
from escudo.cli.settings import SETTINGS, Settings
from escudo.content.packs import find_pack, is_pack_name
from escudo.content.starter_packs import resolve_pack

STORE_VARIABLE = "ESCUDO_STORE"


def find_store(context: click.Context | None) -> Path:
    """The folder of content packs: what the settings say, else ``content`` in the user's own data
    folder."""
    settings: Settings | None = context.meta.get(SETTINGS) if context is not None else None
    said = settings.value("store") if settings is not None else os.environ.get(STORE_VARIABLE)
    return Path(said) if said else user_data_path("escudo") / "content"


class ContentType(PlaceType):
    """A path of content. ``pack:NAME`` is a starter pack, which comes with Escudo. Another name
    that is no path there is looked for among the content packs."""

    def __init__(self, **options: Any) -> None:
        super().__init__("content", **options)

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str | bytes | os.PathLike[str]:
        text = os.fspath(value)
        if is_pack_name(text) and not os.path.lexists(text):
            pack = find_pack(find_store(ctx), text)
            if pack is not None:
                return pack
        return super().convert(resolve_pack(text), param, ctx)


class FolderType(PlaceType):
    """A folder that is written to. An empty text is none: it would be the one that one is in."""

    def __init__(self, what: str) -> None:
        super().__init__(what, file_okay=False)

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str | bytes | os.PathLike[str]:
        if value == "":
            self.fail("no folder is named", param, ctx)
        return super().convert(value, param, ctx)
