"""An exception that no package expected -> a diagnostic that tells its cause; for error boundaries.

What the machine says (no room, no right, no memory) is told in its words; what a library says is
not: it is about its own insides. The kind of the exception is named, for a report.
"""

from __future__ import annotations

import errno

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
        words = str(error).partition("Detail:")[0] if error.strerror is None else error.strerror
        return Diagnostic(code, f"{place}{words or type(error).__name__}")
    if isinstance(error, MemoryError):
        return Diagnostic("SYS003", "there is not enough memory")
    if isinstance(error, RecursionError):
        return Diagnostic("SYS005", "the input is nested too deep")
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" ({trace.tb_frame.f_code.co_name}:{trace.tb_lineno})" if trace is not None else ""
    return Diagnostic("SYS004", f"{type(error).__name__}{place}")
