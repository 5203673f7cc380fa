"""How many inputs the tests of this folder try, and whether they are new ones each time."""

from __future__ import annotations

import os

RANDOM = "ESCUDO_FUZZ_EXAMPLES" in os.environ
"""`make fuzz` tries new inputs; the test suite the same ones each time, so that it does not fail
by chance."""
EXAMPLES = int(os.environ.get("ESCUDO_FUZZ_EXAMPLES", "25"))
