"""What all tests share."""

from __future__ import annotations

import os

# Queries over a handful of rows are over before Java's second compiler pays: it took a third of
# the processor's time.
os.environ.setdefault("SPARK_SUBMIT_OPTS", "-XX:TieredStopAtLevel=1")
