"""Log-ins that failed -> whether another one may be tried now; ``accounts.authenticate`` asks it.

They are counted in memory: a restart forgets them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from escudo.core.errors import EscudoError

MINUTES = 15
"""For how long a log-in that failed counts."""

OF_BOTH = RateLimitItemPerMinute(10, MINUTES, namespace="both")
"""Failures of a name from one address; nobody else locks out whom he names."""

OF_ADDRESS = RateLimitItemPerMinute(50, MINUTES, namespace="address")
"""Failures from one address, whatever the names."""

OF_NAME = RateLimitItemPerMinute(200, MINUTES, namespace="name")
"""Failures of a name, from all addresses: so many guesses find no password of 12 characters."""


class Attempts:
    """Failures of log-ins, by name and by address.

    >>> attempts = Attempts()
    >>> [attempts.count_failure("ana", "192.0.2.7") for _ in range(OF_BOTH.amount)][-2:]
    [False, True]
    >>> attempts.check("ana", "192.0.2.7")
    Traceback (most recent call last):
    escudo.core.errors.EscudoError: error[SRV008]: too many log-ins have failed
    >>> attempts.check("ana", "192.0.2.8")
    """

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def check(self, name: str, address: str) -> None:
        """Raises EscudoError: SRV008 where too many have failed; whether the next one would be
        right is not told."""
        for limit, keys in _list_limits(name, address):
            if not self._limiter.test(limit, *keys):
                raise EscudoError("SRV008", "too many log-ins have failed")

    def count_failure(self, name: str, address: str) -> bool:
        """Counts one; gives whether it was the last that may be tried for now."""
        for limit, keys in _list_limits(name, address):
            self._limiter.hit(limit, *keys)
        return not all(
            self._limiter.test(limit, *keys) for limit, keys in _list_limits(name, address)
        )

    def forget(self, name: str, address: str) -> None:
        """A log-in was right: what this name failed from this address counts no more."""
        self._limiter.clear(OF_BOTH, *_list_keys(name, address))


def _list_limits(name: str, address: str) -> Iterator[tuple[RateLimitItem, tuple[str, ...]]]:
    shortened, network = _list_keys(name, address)
    yield OF_BOTH, (shortened, network)
    yield OF_ADDRESS, (network,)
    yield OF_NAME, (shortened,)


def _list_keys(name: str, address: str) -> tuple[str, str]:
    """A name and a network. Of IPv6 one customer has 2**64 addresses, which count as one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return name[:200], address
    if isinstance(parsed, ipaddress.IPv6Address):
        return name[:200], str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
    return name[:200], address
