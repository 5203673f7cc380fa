"""Whether what models are made with is installed; imports nothing of it. ``fit`` and ``apply`` ask
before they begin."""

from __future__ import annotations

from importlib.util import find_spec

from escudo.core.errors import EscudoError, Span

_LIBRARIES = ("sklearn", "skops")


def require_learning(what: str, span: Span | None = None) -> None:
    """Raises SPL327, which says how to get the extra ``ml``, where a library of it is missing.

    Args:
        what: what needs it, such as ``fit KMeans``.
        span: the place of the command.
    """
    missing = [name for name in _LIBRARIES if find_spec(name) is None]
    if missing:
        raise EscudoError(
            "SPL327",
            f"{what} needs the extra 'ml', which is not installed",
            span=span,
            hint="pip install 'escudo[ml]'",
        )
