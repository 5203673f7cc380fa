"""What the C library does with memory that was given back."""

from __future__ import annotations

import ctypes
from functools import cache

_M_MMAP_THRESHOLD = -3
_LARGE_BYTES = 4 << 20


@cache
def return_large_arrays() -> bool:
    """Makes the C library return arrays of 4 MB and more to the system as soon as they are free.

    By default glibc raises that limit to as much as 32 MB, and keeps what is smaller for each
    thread (mallopt(3), M_MMAP_THRESHOLD): for a pipeline of threads that costs 100 MB. Returns
    whether there was something to set; other C libraries than glibc are left as they are.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES))
