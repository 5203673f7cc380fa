"""What a program sets for its whole process; called when the command line or a benchmark begins.

Nothing else in Escudo changes the process it runs in, so a program that embeds Escudo decides for
itself which of these it wants. It works without any of them: slower, with more memory, and with
warnings of libraries on standard error.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
import threading
import warnings
from importlib import import_module
from types import FrameType

from escudo.core.interrupts import Stopped

UNWIND_SECONDS = 10.0
"""Seconds that a stopped process has to tell what it did; then it ends where it is."""


def prepare_process() -> None:
    """Sets what suits a process that only runs Escudo: all that follows but the collections."""
    silence_warnings()
    use_jemalloc()
    use_own_python()


def silence_warnings() -> None:
    """Silences warnings of libraries, unless Python was started with ``-W``.

    They are for programmers; what a user must know is a diagnostic. DuckDB warns of a copy that
    prepared statements cannot do without (``cim.normalise``), scikit-learn of data that a model
    does not fit well. To silence them around a call would race with other threads.
    """
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


def use_jemalloc() -> None:
    """Makes Arrow use jemalloc, where it is built in, for all of this process.

    In a pipeline of threads one thread allocates what another one frees, and allocators keep it:
    of a peak of 1 GB, 200 MB were live. jemalloc keeps 90 MB less than Arrow's own choice,
    mimalloc, and takes 4 % less time (a million Sysmon events, 2 cores). A lower limit for what
    glibc keeps (``M_MMAP_THRESHOLD``) would save 40 MB more, and cost 7 % of the time.
    """
    arrow = import_module("pyarrow")
    if "jemalloc" in arrow.supported_memory_backends():
        arrow.set_memory_pool(arrow.jemalloc_memory_pool())


def use_own_python() -> None:
    """Has Spark's workers run the Python that runs this, unless the environment names one."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)


def catch_stops() -> None:
    """Makes Ctrl-C and SIGTERM a ``Stopped`` in the main thread, so that temporary files go and
    what was done is told. The second one ends the process where it is, as does the time."""

    stopping = threading.Event()

    def stop(number: int, _frame: FrameType | None) -> None:
        if stopping.is_set():
            os._exit(128 + number)
        stopping.set()
        timer = threading.Timer(UNWIND_SECONDS, os._exit, [128 + number])
        timer.daemon = True
        timer.start()
        raise Stopped(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


def pause_collections() -> None:
    """Stops garbage collections until ``resume_collections``.

    What a program imports stays: to look for garbage in it takes a tenth of the start.
    """
    gc.disable()


def resume_collections() -> None:
    """Lets garbage be collected again."""
    gc.enable()


def spare_collections() -> None:
    """Has garbage collections pass over what there is now: content, before its searches run.

    It stays as long as the process; walking it in each collection took a third of the time of
    compiling its searches. It is let go at the end, or DuckDB calls its types leaked. The tree of
    a search is thousands of objects in cycles: collected often and while young, they do not add up
    to a pause of a tenth of a second in the middle of some other search.
    """
    gc.freeze()
    gc.set_threshold(10_000, 1, 100)
    atexit.register(gc.unfreeze)
