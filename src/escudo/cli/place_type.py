"""What the command line gives as a path -> a path on this machine; the type of such options."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from escudo.core.places import refuse_url
from escudo.storage import find_scheme, is_storage, open_storage


class PlaceType(click.Path):
    """``click.Path`` that gives a ``Path`` and refuses a URL (SYS006) before anything is done.

    Args:
        what: what is there, for the message: ``lake``, say.
        options: those of ``click.Path``.
    """

    def __init__(self, what: str, **options: Any) -> None:
        super().__init__(path_type=Path, **options)
        self._what = what

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str | bytes | os.PathLike[str]:
        refuse_url(value, self._what)
        return super().convert(value, param, ctx)


class LogType(PlaceType):
    """``PlaceType`` of a log, which may be a URL of a storage, too: that is given as a text, and
    refused by who cannot read it there."""

    def __init__(self) -> None:
        super().__init__("log", allow_dash=True)

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str | bytes | os.PathLike[str]:
        text = os.fspath(value)
        if is_storage(text):
            return text
        return super().convert(value, param, ctx)


class LakeType(PlaceType):
    """``PlaceType`` of a lake, which may be a URL of a storage, too; it gives a text.

    Args:
        exists: whether a folder has to be there; a URL is not asked for.
    """

    def __init__(self, *, exists: bool) -> None:
        super().__init__("lake", file_okay=False, exists=exists)

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str | bytes | os.PathLike[str]:
        text = os.fspath(value)
        if find_scheme(text) is not None:
            return open_storage(text).url
        return str(super().convert(value, param, ctx))
