"""Whether Spark can run here, and if not why; imports nothing of it. Commands ask."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec


def explain_unavailable(*, remote: bool = False) -> str | None:
    """Why Spark cannot run here; None if it can. A ``remote`` one (Spark Connect) needs no Java."""
    if find_spec("pyspark") is None:
        return "pyspark is not installed (pip install 'escudo[spark]')"
    if remote:
        if find_spec("grpc") is None:
            return (
                "grpcio, which Spark Connect needs, is not installed (pip install 'escudo[spark]')"
            )
        return None
    home = os.environ.get("JAVA_HOME")
    if shutil.which("java") is None and not (home and os.path.exists(f"{home}/bin/java")):
        return "Java is not installed (Spark needs Java 17)"
    return None
