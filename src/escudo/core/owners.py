"""This process -> a mark in the names of its temporary files; a mark -> whether its process is
gone. Who makes such files, and who sweeps those of the dead, call it."""

from __future__ import annotations

import os
import platform
import re
from contextlib import suppress
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

_MARK = re.compile(r"([0-9a-f]{8})\.(\d{1,10})(?!\d)")


def make_mark() -> str:
    """The mark of this process: eight hexadecimal digits for the machine, a dot, its number.

    >>> is_gone(make_mark())
    False
    """
    return f"{_find_machine()}.{os.getpid()}"


def is_gone(name: str) -> bool | None:
    """Whether the process whose mark a name holds has ended; None where that cannot be known: no
    mark, or that of another machine or container, or of an earlier start of this one.

    >>> is_gone("escudo-spill-1f") is None
    True
    """
    mark = _MARK.search(name)
    if mark is None or mark[1] != _find_machine():
        return None
    try:
        os.kill(int(mark[2]), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


@lru_cache(maxsize=1)
def _find_machine() -> str:
    """What must be the same for numbers of processes to mean the same: the name of the machine, its
    start, and the namespace of the numbers, where the system tells them."""
    facts = [platform.node()]
    with suppress(OSError):
        facts.append(Path("/proc/sys/kernel/random/boot_id").read_text())
        facts.append(os.readlink("/proc/self/ns/pid"))
    return blake2b("\n".join(facts).encode(), digest_size=4).hexdigest()
