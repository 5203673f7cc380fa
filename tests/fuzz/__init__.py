"""Input at random: no exception that is not an EscudoError leaves what reads it.

`make fuzz` runs these tests for minutes, with new examples each time (``ESCUDO_FUZZ_EXAMPLES``);
the suite runs a few, the same each time (the profiles are in ``tests/conftest.py``).
"""

from __future__ import annotations

import os

from hypothesis import settings

EXAMPLES = int(os.environ.get("ESCUDO_FUZZ_EXAMPLES", "25"))

fuzzed = settings(max_examples=EXAMPLES, deadline=None)
"""The decorator of a test of this folder."""
