"""A job -> the moment it has ended, or has rows, without a thread that waits; routes await it.

Threads answer requests; if one waited for each search that blocks its client, there would be none
left to answer others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from escudo.serve.searches.job import Job

_FIRST_SECONDS = 0.01
_MOST_SECONDS = 0.25
"""How often a job is looked at: less and less."""


async def wait_for(job: Job, seconds: float | None = None) -> bool:
    """Waits until a job has ended; whether it has, after so many seconds at most."""
    return await _poll(lambda: job.state.ended, seconds)


async def wait_for_parts(job: Job, parts: int) -> None:
    """Waits until a job has more than so many files of rows, or has ended."""
    await _poll(lambda: job.state.ended or len(job.parts) > parts, None)


async def _poll(is_so: Callable[[], bool], seconds: float | None) -> bool:
    loop = asyncio.get_running_loop()
    end = None if seconds is None else loop.time() + seconds
    pause = _FIRST_SECONDS
    while not is_so():
        if end is not None and loop.time() >= end:
            return False
        await asyncio.sleep(pause)
        pause = min(2 * pause, _MOST_SECONDS)
    return True
