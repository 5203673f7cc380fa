"""What a user gives as a place -> an error where it is a URL; called wherever a place is opened."""

from __future__ import annotations

import os
import re

from escudo.core.errors import EscudoError

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_FOLDED = re.compile(
    r"(?:s3[an]?|abfss?|adl|wasbs?|az|azure|gs|gcs|oss|hdfs|viewfs|dbfs|https?|s?ftp|file):/",
    re.IGNORECASE,
)
"""What is left of a known kind of URL as a ``Path``, which makes one slash of two."""


_PASSWORD = re.compile(r"(?<=://)([^/@:]*):[^/@]*@")


def hide_password(url: str) -> str:
    """A URL as it may be shown.

    >>> hide_password("postgresql://ann:secret@db/ledger"), hide_password("/srv/a:b@c")
    ('postgresql://ann:***@db/ledger', '/srv/a:b@c')
    """
    return _PASSWORD.sub(r"\1:***@", url)


COPY_IT = "copy it, or mount it, and give its path"


def refuse_url(place: str | os.PathLike[str], what: str, hint: str = COPY_IT) -> None:
    """Raises SYS006 where a place is a URL (``s3://bucket/logs``), which would be read as a path.

    Args:
        place: a path as the user gave it.
        what: what is there, for the message: ``log``, say.
        hint: what to do instead.

    >>> refuse_url("logs/a.evtx", "log")
    >>> refuse_url("s3://b", "log")
    Traceback (most recent call last):
    escudo.core.errors.EscudoError: error[SYS006]: s3://b is a URL: a log has to be on this machine
      help: copy it, or mount it, and give its path
    """
    text = os.fspath(place)
    if _URL.match(text) or _FOLDED.match(text):
        raise EscudoError(
            "SYS006",
            f"{text} is a URL: a {what} has to be on this machine",
            hint=hint,
        )
