"""Records of what is done -> a log file of JSON lines, and lines on standard error; the command
line begins it.

A line of the file has ``time`` (ISO-8601, UTC), ``level``, ``pid``, ``event`` and the fields of
that event. At 10 MB a file is put aside as ``NAME.1``, ..., of which five stay.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from escudo.cli.settings import PROJECT_FILE, Settings
from escudo.cli.terminal import escape_line
from escudo.core.errors import Diagnostic, EscudoError, Severity
from escudo.core.event_log import LOGGER, log_event

_MOST_BYTES = 10 << 20
_KEPT = 5
_LEVELS = {
    Severity.ERROR: logging.ERROR,
    Severity.WARNING: logging.WARNING,
    Severity.INFO: logging.INFO,
}


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    fields: dict[str, Any] = getattr(record, "fields", {})
    return fields


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        head = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "pid": record.process,
            "event": record.getMessage(),
        }
        return json.dumps({**head, **_fields(record)}, default=str)


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        told = " ".join(f"{n}={v}" for n, v in _fields(record).items() if v is not None)
        return escape_line(f"{_time(record)} {record.getMessage()} {told}")


class _Stderr(logging.Handler):
    """Standard error as it is when a record comes; what is wrong with it harms nobody."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
        except (OSError, ValueError):
            LOGGER.removeHandler(self)


def begin_log(settings: Settings, *, verbose: bool | None, log_file: Path | None) -> None:
    """Begins what the options ask for, or else the settings. A person at a terminal is told of an
    ``escudo.toml`` in the folder: it may come from someone else."""
    if settings.value("verbose") if verbose is None else verbose:
        show_log()
    chosen = log_file or settings.value("log_file")
    if chosen is not None:
        write_log(Path(chosen))
    if PROJECT_FILE in settings.files and sys.stderr.isatty():
        keys = ", ".join(
            n for n, s in settings.values.items() if s.source.startswith(f"{PROJECT_FILE}:")
        )
        sys.stderr.write(f"{PROJECT_FILE} of this folder sets {keys or 'nothing'}\n")


def show_log() -> None:
    """Has what is done shown on standard error, too; once."""
    if not any(isinstance(handler, _Stderr) for handler in LOGGER.handlers):
        _add(_Stderr(), _Lines())


def write_log(path: Path) -> None:
    """Has what is done written to the end of a file.

    A file that cannot be written to later (a full disk) is told once, and then let be.

    Raises:
        EscudoError: SYS002 where the file cannot be opened.
    """
    handlers = import_module("logging.handlers")
    try:
        handler: logging.Handler = handlers.RotatingFileHandler(
            path,
            maxBytes=_MOST_BYTES,
            backupCount=_KEPT,
            encoding="utf-8",
            errors="backslashreplace",
        )
    except OSError as error:
        raise EscudoError("SYS002", f"log file {path}: {error.strerror}") from error

    def give_up(_record: logging.LogRecord) -> None:
        LOGGER.removeHandler(handler)
        reason = sys.exc_info()[1]
        sys.stderr.write(escape_line(f"log file {path}: {reason}; it ends here") + "\n")

    handler.handleError = give_up  # type: ignore[assignment]
    _add(handler, _JsonLines())


def _add(handler: logging.Handler, formatter: logging.Formatter) -> None:
    handler.setFormatter(formatter)
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    LOGGER.propagate = False


def log_diagnostic(diagnostic: Diagnostic) -> None:
    """Records what was told of input."""
    span = diagnostic.span
    log_event(
        "told",
        level=_LEVELS[diagnostic.severity],
        code=diagnostic.code,
        place=str(span) if span is not None else None,
        message=diagnostic.message,
    )
