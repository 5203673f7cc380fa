"""The tests of a detection, run as ``escudo test`` runs them; for tests of this suite."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from escudo.actions.engines import make_engines
from escudo.actions.lake_cache import LakeCache
from escudo.actions.run_tests import TestBench, TestOptions, plan_tests, run_tests
from escudo.actions.workspace import EngineOf
from escudo.content import Content, Detection
from escudo.detect.attack_data import DataFinder
from escudo.detect.testing import TestResult
from escudo.lake.tables import load_tables
from tests.findings.matches import NOW


def run_all_tests(
    detections: Sequence[Detection],
    content: Content,
    *,
    folders: Sequence[Path] = (),
    options: TestOptions | None = None,
) -> list[TestResult]:
    """The results in the order of the detections and their tests; nothing is fetched or kept."""
    planned = list(plan_tests(detections, DataFinder(folders)))
    bench = TestBench(
        content, share_lakes(), engine_of=_engines(), options=options or TestOptions(now=NOW)
    )
    return [result for _, result in sorted(run_tests(planned, bench), key=lambda r: r[0])]


@lru_cache(maxsize=1)
def share_lakes() -> LakeCache:
    """What all tests of a process share: a lake is known by what is in it, and made once."""
    folder = Path(tempfile.mkdtemp(prefix="escudo-suite-lakes-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return LakeCache(folder, load_tables())


@lru_cache(maxsize=1)
def _engines() -> EngineOf:
    return make_engines("duckdb")
