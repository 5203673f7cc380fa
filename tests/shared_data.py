"""Where the real logs and the upstream content lie, if they are there at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data"
_PATH = Path(os.environ.get("ESCUDO_SHARED_DATA", _DEFAULT))

SHARED: Path | None = _PATH if _PATH.is_dir() else None

needs_shared = pytest.mark.skipif(
    SHARED is None, reason=f"real logs are not at {_PATH} (set ESCUDO_SHARED_DATA)"
)
