"""What all tests share."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from escudo.startup import use_own_python

# Queries over a handful of rows are over before Java's second compiler pays: it took a third of
# the processor's time. With one compiler Java keeps 48 MB for compiled code; when a thousand
# queries have filled it, Java goes on without a compiler.
os.environ.setdefault("SPARK_SUBMIT_OPTS", "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m")
use_own_python()
os.environ["ESCUDO_CACHE"] = ""  # what one test made must not be what another one sees
os.environ["ESCUDO_CONFIG"] = ""  # nor what the user has set

# The suite tries the same examples each time, so that it fails by a change and not by chance; a run
# that is asked for a number of examples (`make fuzz`) tries others each time.
settings.register_profile("suite", derandomize=True, database=None, deadline=None)
settings.register_profile("fuzz", deadline=None, print_blob=True)
settings.load_profile("fuzz" if "ESCUDO_FUZZ_EXAMPLES" in os.environ else "suite")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What starts the program (the fixture ``escudo``) takes seconds: it is slow."""
    for item in items:
        if "escudo" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
