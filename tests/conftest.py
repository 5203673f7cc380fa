"""What all tests share."""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import settings

from escudo.startup import use_own_python

# Queries over a handful of rows are over before Java's second compiler pays: it took a third of
# the processor's time. With one compiler Java keeps 48 MB for compiled code; when a thousand
# queries have filled it, Java goes on without a compiler.
os.environ.setdefault("SPARK_SUBMIT_OPTS", "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m")
use_own_python()
# What is compiled is kept, whatever the environment says: else each program that a test starts
# would compile all of Escudo anew, and each run of pytest the tests.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
os.environ["ESCUDO_CACHE"] = ""  # what one test made must not be what another one sees
os.environ["ESCUDO_CONFIG"] = ""  # nor what the user has set

# The suite tries the same examples each time, so that it fails by a change and not by chance; a run
# that is asked for a number of examples (`make fuzz`) tries others each time.
settings.register_profile("suite", derandomize=True, database=None, deadline=None)
settings.register_profile("fuzz", deadline=None, print_blob=True)
settings.load_profile("fuzz" if "ESCUDO_FUZZ_EXAMPLES" in os.environ else "suite")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What runs the program (the fixture ``escudo``) is slow, but for the tests marked ``quick``: a
    run is forked (``tests/program.py``), and still most of them hunt. Spark comes first: its tests
    stay with one worker, and Java is started once."""
    for item in items:
        if "escudo" in getattr(item, "fixturenames", ()) and not item.get_closest_marker("quick"):
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: item.get_closest_marker("spark") is None)
