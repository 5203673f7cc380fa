"""Addresses -> where they are (Search Reference, iplocation), by data of geoip2fast; a kernel.

Those data hold the country of IPv4 and IPv6 networks. A MaxMind-like city file of geoip2fast, if
named by the environment variable ``ESCUDO_GEOIP``, adds city, region and coordinates.
"""

from __future__ import annotations

import ipaddress
import os
from functools import lru_cache
from typing import Any

import pyarrow as pa
from geoip2fast import GeoIP2Fast

from escudo.engines.kernels.kernel import TEXT, Kernel

_MAP = pa.map_(pa.string(), pa.string())
_DATA = "geoip2fast-ipv6.dat.gz"


@lru_cache(maxsize=1)
def _database() -> Any:
    return GeoIP2Fast(geoip2fast_data_file=os.environ.get("ESCUDO_GEOIP", _DATA))


def location(address: str, _language: str) -> list[tuple[str, str]] | None:
    """Country and what else is known of a public address; None for any other text.

    >>> dict(location("8.8.8.8", "en"))["Country"]
    'United States'
    >>> location("10.0.0.1", "en") is None
    True
    """
    try:
        if not ipaddress.ip_address(address).is_global:
            return None
    except ValueError:
        return None
    entry = _database().lookup(address)
    if entry.is_private or not entry.country_code or entry.country_code == "--":
        return None
    city = getattr(entry, "city", None)
    fields = {
        "Country": entry.country_name,
        "City": getattr(city, "name", "") or "",
        "Region": getattr(city, "subdivision_name", "") or "",
        "lat": str(getattr(city, "latitude", "") or ""),
        "lon": str(getattr(city, "longitude", "") or ""),
    }
    return [(k, v) for k, v in fields.items() if v]


PLACES = (Kernel("spl_ip_location", (TEXT, TEXT), _MAP, location),)
