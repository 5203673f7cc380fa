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
import socket
import sys
import threading
import warnings
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from types import ModuleType

from escudo.core.interrupts import PromptHandler, StopHandler

MEET_SECONDS = 0.8
"""Seconds until a stop must have come to who tells of it; a native query or a regular expression
may keep it away for as long as it runs. Then the process ends where it is."""

UNFLUSHED = 120
"""The exit code where what was written could not be handed over, as Python has it."""

FLUSH_SECONDS = 0.2
"""Seconds for what was written to reach who reads it, who may have stopped reading."""

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


def silence_authlib() -> None:
    """Silences authlib, too, which has its warnings shown whatever was said before it is imported.

    To be called before the rest of it is.
    """
    import_module("authlib.deprecate")
    silence_warnings()


def spare_pandas() -> None:
    """Has Arrow take pandas for too old a one, until it is asked for a data frame.

    Where pandas is installed, as Spark's extra brings it, Arrow imports it to make its first array:
    0.4 s of processor time (2 cores, 2026-11) for what Escudo never gives it. To be called before
    the modules that make arrays are imported.
    """
    if "pandas" not in sys.modules:
        stand_in = ModuleType("pandas")
        stand_in.__version__ = "0"  # type: ignore[attr-defined]
        sys.modules["pandas"] = stand_in
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                import_module("pyarrow").array([None])
        finally:
            del sys.modules["pandas"]


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


def provide_variables(variables: Mapping[str, str]) -> None:
    """Puts variables into the environment, as far as it has them not: what reads storages, and the
    processes that are started, take credentials from there."""
    for name, value in variables.items():
        os.environ.setdefault(name, value)


def catch_stops() -> None:
    """Makes Ctrl-C and SIGTERM a ``Stopped`` in the main thread, so that temporary files go and
    what was done is told. The second one ends the process where it is, as does the time: what is
    unfinished in a lake is swept when it is opened next.

    Python raises it between two of its own steps, so a thread watches: a main thread that is inside
    a library has no such step.
    """
    handler = StopHandler()
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)

    def watch() -> None:
        number = _await_stop(ours)
        if number is None:
            return
        _end_later(MEET_SECONDS, number, unless=handler.met)
        _end_later(UNWIND_SECONDS, number)
        if _await_stop(ours) is not None:
            end_process(128 + number)

    threading.Thread(target=watch, name="escudo-stops", daemon=True).start()
    atexit.register(theirs.fileno)  # it is open for as long as signals may come
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)


def free_interrupts() -> PromptHandler:
    """Makes Ctrl-C an ordinary ``KeyboardInterrupt`` from here on, as often as it comes: a program
    at a prompt stops what runs and goes on. SIGTERM stays what it was. Returns what knows whether
    it has come."""
    signal.set_wakeup_fd(-1)
    handler = PromptHandler()
    signal.signal(signal.SIGINT, handler)
    return handler


def _await_stop(wakeups: socket.socket) -> int | None:
    """Waits for one of the two signals; None at the end of the process."""
    while number := wakeups.recv(1):
        if number[0] in (signal.SIGINT, signal.SIGTERM):
            return number[0]
    return None


def _end_later(seconds: float, number: int, unless: threading.Event | None = None) -> None:
    """Ends the process after some seconds, unless something happens before."""
    waited = threading.Event() if unless is None else unless

    def end() -> None:
        if not waited.wait(seconds):
            name = signal.Signals(number).name
            os.write(2, f"stopped by {name}; what was committed is safe\n".encode())
            end_process(128 + number)

    threading.Thread(target=end, name="escudo-end", daemon=True).start()


def leave_process(code: int) -> None:
    """Ends the process once what was to be done at its end is done. Objects are not let go of one
    by one: that takes a tenth of the time of a short command (2 cores, 2026-11)."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except ValueError:
            pass  # it is closed
        except OSError:
            code = code or UNFLUSHED
    os._exit(code)


def end_process(code: int) -> None:
    """Ends the process without waiting for its threads, which may be inside a library."""
    flushing = threading.Thread(target=_flush, daemon=True)
    flushing.start()
    flushing.join(FLUSH_SECONDS)
    os._exit(code)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()


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
