"""A URL -> its content in a file, within limits of size and time; ``detect.attack_data`` is given
it.

Imported when something is to be fetched, since httpx and stamina take a tenth of a second.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import stamina

from escudo.core.errors import EscudoError
from escudo.core.event_log import log_event

_CONNECT_SECONDS = 10.0
_SILENCE_SECONDS = 30.0
"""Seconds without a byte after which a server is given up."""
_PIECE_BYTES = 1 << 18
_MOST_REDIRECTS = 5
_ATTEMPTS = 3
_BUSY = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True, kw_only=True, slots=True)
class DownloadLimits:
    """What one file may take: bytes, and seconds with all attempts."""

    most_bytes: int = 1 << 30
    most_seconds: float = 300.0


class _BusyError(Exception):
    """The server answered that it may answer another time."""


class Downloader:
    """Fetches files by http and https, each whole or not at all.

    Failures of the network and answers such as 503 are tried again, with growing pauses.
    Environment variables for proxies (``HTTPS_PROXY``) count.
    """

    def __init__(self, limits: DownloadLimits | None = None, *, pause_seconds: float = 0.5) -> None:
        self._limits = limits or DownloadLimits()
        self._pause = pause_seconds
        self._client = httpx.Client(
            follow_redirects=True,
            max_redirects=_MOST_REDIRECTS,
            timeout=httpx.Timeout(_SILENCE_SECONDS, connect=_CONNECT_SECONDS),
            headers={"User-Agent": "escudo"},
        )

    def __call__(self, url: str, target: Path) -> None:
        """Writes what the URL gives to a file; its folder is made.

        Raises:
            EscudoError: DET110 where it cannot be fetched within the limits, or kept.
        """
        deadline = time.monotonic() + self._limits.most_seconds
        try:
            for attempt in stamina.retry_context(
                on=(httpx.TransportError, _BusyError),
                attempts=_ATTEMPTS,
                timeout=self._limits.most_seconds,
                wait_initial=self._pause,
            ):
                with attempt:
                    size = self._fetch(url, target, deadline)
        except (httpx.HTTPError, httpx.InvalidURL, _BusyError, OSError) as error:
            reason = str(error) or type(error).__name__
            raise EscudoError("DET110", f"{url} cannot be fetched: {reason}") from error
        log_event("download", url=url, bytes=size)

    def _fetch(self, url: str, target: Path, deadline: float) -> int:
        most = self._limits.most_bytes
        target.parent.mkdir(parents=True, exist_ok=True)
        with (
            self._client.stream("GET", url) as answer,
            tempfile.NamedTemporaryFile(dir=target.parent, prefix=".draft-", delete=False) as draft,
        ):
            path = Path(draft.name)
            try:
                if answer.status_code in _BUSY:
                    raise _BusyError(f"{answer.status_code} {answer.reason_phrase}")
                if answer.status_code != httpx.codes.OK:
                    told = f"{answer.status_code} {answer.reason_phrase}"
                    raise EscudoError("DET110", f"{url} cannot be fetched: {told}")
                size = 0
                for piece in answer.iter_bytes(_PIECE_BYTES):
                    size += len(piece)
                    if size > most:
                        told = f"it has more than {most:,} bytes"
                        raise EscudoError("DET110", f"{url} is not fetched: {told}")
                    if time.monotonic() > deadline:
                        told = f"it takes more than {self._limits.most_seconds:.0f} s"
                        raise EscudoError("DET110", f"{url} is not fetched: {told}")
                    draft.write(piece)
                draft.close()
                path.replace(target)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
        return size
