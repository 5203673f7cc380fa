"""A search that is being written -> what is wrong in it; called by the shell while a user types."""

from __future__ import annotations

from escudo.actions.workspace import Workspace
from escudo.core.errors import Diagnostic, EscudoError
from escudo.spl.compile import screen_search


def check_search(text: str, workspace: Workspace) -> tuple[Diagnostic, ...]:
    """The error of a search, or its warnings; nothing of it is run.

    Args:
        text: SPL; without any, nothing is wrong.
    """
    if not text.strip():
        return ()
    try:
        screening = screen_search(
            text,
            workspace.lake.snapshot(),
            workspace.knowledge,
            now=workspace.now,
            zone=workspace.zone,
            within=workspace.within,
        )
    except EscudoError as error:
        return (error.located(source=text).diagnostic,)
    return screening.diagnostics
