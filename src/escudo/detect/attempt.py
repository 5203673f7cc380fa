"""Something that may fail -> its result, or a diagnostic; called for each search of many.

The one place where an error of any kind, also a fault of Escudo or of an engine, becomes a
diagnostic, so that it does not end the run of the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from escudo.core.errors import Diagnostic, EscudoError
from escudo.core.faults import explain_fault

T = TypeVar("T")


def attempt(action: Callable[[], T], *, name: str, source: str | None = None) -> T | Diagnostic:
    """What an action gives, or what was wrong.

    An ``EscudoError`` keeps its code; any other exception is DET001.

    Args:
        name: what failed, for the message: the name of a detection, say.
        source: the text of the search, if that is what failed.

    >>> attempt(lambda: 1 // 0, name="Ratio").message
    'Ratio: ZeroDivisionError: integer division or modulo by zero'
    """
    try:
        return action()
    except EscudoError as error:
        return error.diagnostic
    except (OSError, MemoryError, RecursionError) as error:
        told = explain_fault(error)
        return replace(told, message=f"{name}: {told.message}", source=source)
    except Exception as error:
        return Diagnostic("DET001", f"{name}: {type(error).__name__}: {error}", source=source)
