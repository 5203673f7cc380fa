"""The real program, as the tests of the command line run it."""

from __future__ import annotations

from tests.cli.conftest import escudo

__all__ = ["escudo"]
