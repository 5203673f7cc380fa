"""URLs -> their parts, down to subdomain, domain and public suffix; a kernel.

The parts are those of URL Toolbox (Splunkbase 2734: ``ut_parse``, ``ut_parse_simple``), which is
what security content expects: a part that is not there is the text ``None``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlparse

from publicsuffixlist import PublicSuffixList

from escudo.engines.kernels.kernel import TEXT, Kernel

NOTHING = "None"

_WITH_SCHEME = re.compile(r"[^/?&;=#]{1,200}://")
_PORTS: Mapping[str, str] = {
    "ftp": "21",
    "http": "80",
    "https": "443",
    "imap": "143",
    "sftp": "22",
    "sip": "5060",
    "ssh": "22",
}
"""The port of a scheme where the URL has none."""


@lru_cache(maxsize=2)
def _suffixes(*, only_icann: bool) -> PublicSuffixList:
    return PublicSuffixList(only_icann=only_icann)


@lru_cache(maxsize=4096)
def split_url(url: str, tld_list: str) -> Mapping[str, str]:
    """The parts of a URL or a host name by URL Toolbox's names, without ``ut_``.

    Args:
        tld_list: ``mozilla`` (the Public Suffix List), ``icann`` (its ICANN part); any other:
            the top-level domain alone, as in IANA's list.

    >>> parts = split_url("https://www.bbc.co.uk/news?id=1", "mozilla")
    >>> parts["domain"], parts["tld"], parts["subdomain"], parts["port"], parts["path"]
    ('bbc.co.uk', 'co.uk', 'www', '443', '/news')
    >>> split_url("https://www.bbc.co.uk", "iana")["domain"]
    'co.uk'
    """
    try:
        found = urlparse(url if _WITH_SCHEME.match(url) else f"//{url}")
    except ValueError:  # brackets that hold no address
        found = urlparse("")
    names = ("scheme", "netloc", "path", "params", "query", "fragment")
    parts = {name: value or NOTHING for name, value in zip(names, found, strict=True)}
    host = found.netloc.lower()
    port = _PORTS.get(found.scheme, NOTHING)
    if ":" in host and not host.endswith("]"):
        host, _, port = host.rpartition(":")
    return {**parts, "port": port, **_split_host(host, tld_list)}


def _split_host(host: str, tld_list: str) -> dict[str, str]:
    names = ("domain", "tld", "domain_without_tld", "subdomain", "subdomain_parts")
    parts = {**dict.fromkeys(names, NOTHING), "subdomain_count": "0"}
    try:
        address = ip_address(host.strip("[]")).compressed
    except ValueError:
        pass
    else:
        return {**parts, "domain": address, "domain_without_tld": address}
    labels = [label for label in host.split(".") if label]
    if not labels:
        return parts
    suffix = labels[-1]
    if tld_list in ("mozilla", "icann"):
        only_icann = tld_list == "icann"
        suffix = _suffixes(only_icann=only_icann).publicsuffix(".".join(labels)) or suffix
    parts["tld"] = suffix
    before = labels[: len(labels) - len(suffix.split("."))]
    if not before:
        return parts
    *subdomains, name = before
    parts["domain"], parts["domain_without_tld"] = f"{name}.{suffix}", name
    if subdomains:
        levels = {
            f"ut_subdomain_level_{len(subdomains) - i}": label for i, label in enumerate(subdomains)
        }
        parts["subdomain"] = ".".join(subdomains)
        parts["subdomain_count"] = str(len(subdomains))
        parts["subdomain_parts"] = json.dumps(levels)
    return parts


def _part(url: str, tld_list: str, name: str) -> str:
    return split_url(url.strip(), tld_list.strip().lower())[name]


URLS = (Kernel("spl_url_part", (TEXT, TEXT, TEXT), TEXT, _part),)
