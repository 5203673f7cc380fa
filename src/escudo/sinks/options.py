"""The text of a sink -> its kind, its address and its options; ``opening`` reads it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from escudo.core.errors import EscudoError

_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


@dataclass
class SinkOptions:
    """What stands behind ``#`` in the text of a sink; each option is asked for by its name.

    >>> options = SinkOptions("hec+https://h", {"index": "main", "ack": "true"})
    >>> options.text("index"), options.flag("ack", default=False), options.number("wait", 5.0)
    ('main', True, 5.0)
    """

    sink: str
    given: Mapping[str, str]
    _asked: set[str] = field(default_factory=set)

    def text(self, name: str, default: str = "") -> str:
        self._asked.add(name)
        return self.given.get(name, default)

    def choice(self, name: str, known: Sequence[str]) -> str:
        """One of some words; the first unless given."""
        value = self.text(name, known[0])
        if value not in known:
            raise self._error(f"{name} is one of {', '.join(known)}, not {value!r}")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.text(name, str(default)).lower()
        if value not in (*_TRUE, *_FALSE):
            raise self._error(f"{name} is true or false, not {value!r}")
        return value in _TRUE

    def number(self, name: str, default: float) -> float:
        value = self.text(name, str(default))
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if not 0 < number < 1e9:
            raise self._error(f"{name} is a number above 0, not {value!r}")
        return number

    def secret(self, name: str, variable: str, *, required: bool) -> str | None:
        """A secret from an environment variable, which the option ``<name>_env`` may name."""
        chosen = self.text(f"{name}_env", variable)
        value = os.environ.get(chosen)
        if required and not value:
            raise EscudoError("SNK003", f"{self.sink}: ${chosen} is not set")
        return value or None

    def refuse_others(self) -> None:
        """Raises SNK002 for an option that nobody has asked for."""
        unknown = sorted(set(self.given) - self._asked)
        if unknown:
            known = ", ".join(sorted(self._asked)) or "none"
            raise self._error(f"no option is called {unknown[0]!r}; it has {known}")

    def _error(self, message: str) -> EscudoError:
        return EscudoError("SNK002", f"{self.sink}: {message}")


def split_options(text: str) -> tuple[str, SinkOptions]:
    """The text of a sink without its options, and they.

    >>> address, options = split_options("hec+https://h:8088#index=a%20b")
    >>> address, options.given
    ('hec+https://h:8088', {'index': 'a b'})
    """
    address, _, rest = text.partition("#")
    given = dict(parse_qsl(rest, keep_blank_values=True))
    return address, SinkOptions(hide_secrets(address), given)


def name_secretly(address: str, *, host: bool = True) -> str:
    """A name for an address whose path may be a secret, as a chat's webhook: no other has it.

    >>> name_secretly("https://hooks.example.com/services/T0/B0/s3cret")
    'https://hooks.example.com#335046'
    """
    parts = urlsplit(address)
    digest = hashlib.blake2b(address.encode(), digest_size=3).hexdigest()
    place = parts.netloc.rpartition("@")[2] if host else ""
    return f"{parts.scheme}://{place}#{digest}"


def hide_secrets(address: str) -> str:
    """An address without user, password and query, to be shown.

    >>> hide_secrets("https://ann:pw@host:8443/hook?key=1")
    'https://host:8443/hook'
    >>> hide_secrets("jsonl:out.jsonl")
    'jsonl:out.jsonl'
    """
    parts = urlsplit(address)
    if not parts.netloc:
        return address
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
