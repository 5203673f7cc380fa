"""An exception that no package expected -> a diagnostic that tells its cause; for error boundaries.

What the machine says (no room, no right, no memory) is told in its words; what a library says is
not: it is about its own insides. The kind of the exception is named, for a report.
"""

from __future__ import annotations

import errno
import os

from escudo.core.errors import Diagnostic, EscudoError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def explain_fault(error: BaseException) -> Diagnostic:
    """The diagnostic of any exception; an ``EscudoError`` has its own.

    >>> explain_fault(OSError(errno.ENOSPC, "No space left on device", "a")).code
    'SYS001'
    >>> explain_fault(ZeroDivisionError()).message
    'ZeroDivisionError'
    """
    if isinstance(error, EscudoError):
        return error.diagnostic
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        code = "SYS001" if error.errno in _FULL else "SYS002"
        # A library's OSError may have its own text where the system's should be.
        words = os.strerror(error.errno) if error.errno else "it cannot be read or written"
        return Diagnostic(code, f"{place}{words}")
    if isinstance(error, MemoryError):
        return Diagnostic("SYS003", "there is not enough memory")
    if isinstance(error, RecursionError):
        return Diagnostic("SYS005", "the input is nested too deep")
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" ({trace.tb_frame.f_code.co_name}:{trace.tb_lineno})" if trace is not None else ""
    return Diagnostic("SYS004", f"{type(error).__name__}{place}")
