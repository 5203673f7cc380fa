"""An ingest -> what standard error says of input that gave no event; called by the commands that
read logs."""

from __future__ import annotations

from escudo.actions.ingest import Ingested, copy_rejected
from escudo.cli.progress import show_diagnostics
from escudo.cli.terminal import open_stderr


def tell_rejected(ingested: Ingested, *, lasting: bool) -> None:
    """The first rejected inputs, their number, and the folder that keeps them all.

    Those of a lake that does not last are copied to a folder of their own.
    """
    number = ingested.report.rejected
    if not number:
        return
    show_diagnostics(ingested.rejected, None)
    folder = ingested.rejected_folder.url if lasting else str(copy_rejected(ingested))
    noun = "input was" if number == 1 else "inputs were"
    open_stderr().print(f"{number:,} {noun} rejected; kept in {folder}")
