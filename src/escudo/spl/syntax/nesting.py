"""A function over trees -> the same, with an error of our own where a tree is nested too deeply;
around the front doors of the language and the writing of SQL.

Trees are walked by recursion, and the interpreter bounds how deep that goes: no search can end the
process.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from escudo.core.errors import EscudoError

P = ParamSpec("P")
R = TypeVar("R")


def bound_nesting(function: Callable[P, R]) -> Callable[P, R]:
    """The function, raising SPL115 instead of ``RecursionError``.

    >>> @bound_nesting
    ... def fall(n: int) -> int:
    ...     return fall(n + 1)
    >>> fall(0)
    Traceback (most recent call last):
    ...
    escudo.core.errors.EscudoError: error[SPL115]: the search is nested too deeply
    """

    @wraps(function)
    def bounded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except RecursionError:
            raise EscudoError("SPL115", "the search is nested too deeply") from None

    return bounded
