"""Options of where the data of tests is -> what finds it; called by ``escudo test``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from escudo.cli.place_type import PlaceType
from escudo.detect.attack_data import DataFinder, Fetch

F = TypeVar("F", bound=Callable[..., Any])

NAMES = ("data_folders", "data_cache", "max_download", "download_seconds")
"""The parameters that ``data_options`` makes, but for ``offline``: that does no harm where nothing
is fetched anyway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPlaces:
    """Where data is looked for; what may be fetched of what is not there.

    ``cache`` is where what is fetched is kept, if that is said. ``most_bytes`` and
    ``most_seconds`` are what one file may take.
    """

    folders: tuple[Path, ...]
    offline: bool
    cache: Path | None
    most_bytes: int
    most_seconds: float

    def open_finder(self, usual_cache: Path) -> DataFinder:
        """What finds the data."""
        return DataFinder(
            self.folders,
            kept=self.cache or usual_cache,
            make_fetch=None if self.offline else self._make_fetch,
        )

    def _make_fetch(self) -> Fetch:
        """What fetches; its libraries take a while to import."""
        downloads = import_module("escudo.detect.downloads")
        limits = downloads.DownloadLimits(
            most_bytes=self.most_bytes, most_seconds=self.most_seconds
        )
        fetch: Fetch = downloads.Downloader(limits)
        return fetch


def data_options(function: F) -> F:
    """``--attack-data``, ``--offline``, ``--data-cache`` and limits of downloads, which give a
    command its ``places``."""

    @wraps(function)
    def with_places(
        *arguments: Any,
        data_folders: tuple[Path, ...],
        offline: bool,
        data_cache: Path | None,
        max_download: int,
        download_seconds: int,
        **options: Any,
    ) -> Any:
        places = DataPlaces(
            folders=data_folders,
            offline=offline,
            cache=data_cache,
            most_bytes=max_download << 20,
            most_seconds=float(download_seconds),
        )
        return function(*arguments, places=places, **options)

    decorated = cast(F, with_places)
    for option in (
        click.option(
            "--download-seconds",
            type=click.IntRange(min=1),
            default=300,
            show_default=True,
            help="Seconds that one file may take to be fetched.",
        ),
        click.option(
            "--max-download",
            type=click.IntRange(min=1),
            default=1024,
            show_default=True,
            help="MB that one file to be fetched may have.",
        ),
        click.option(
            "--data-cache",
            type=PlaceType("cache", file_okay=False),
            help="Where what is fetched is kept [default: in the user's cache folder].",
        ),
        click.option("--offline", is_flag=True, help="Fetch nothing."),
        click.option(
            "--attack-data",
            "data_folders",
            multiple=True,
            type=PlaceType("attack data", exists=True, file_okay=False),
            help="Checkout or folder of attack data, where copies of URLs are looked for; "
            "repeatable.",
        ),
    ):
        decorated = option(decorated)
    return decorated
