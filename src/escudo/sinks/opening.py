"""Texts of sinks (``--sink``) -> sinks; the command line imports it when one is asked for."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from escudo.core.errors import EscudoError
from escudo.sinks.chat import ChatSink, open_service
from escudo.sinks.files import open_csv_file, open_json_file, open_ocsf_file
from escudo.sinks.hec import HecSink, complete_url
from escudo.sinks.options import SinkOptions, name_secretly, split_options
from escudo.sinks.posting import Poster, make_client
from escudo.sinks.retrying import Patience
from escudo.sinks.sink import Sink
from escudo.sinks.syslog import FACILITIES, SyslogSink
from escudo.sinks.webhook import BATCH, WebhookSink

_FILES: Mapping[str, Callable[[Path], Sink]] = {
    "jsonl": open_json_file,
    "csv": open_csv_file,
    "ocsf": open_ocsf_file,
}
_SYSLOG_PORTS = {"tcp": 514, "udp": 514, "tls": 6514}
_FORMATS = ("escudo", "ocsf")


def open_sink(text: str) -> Sink:
    """A sink by its text: ``KIND:FILE`` or a URL, options behind ``#``.

    >>> open_sink("jsonl:findings.jsonl").name
    'jsonl:findings.jsonl'

    Raises:
        EscudoError: SNK001 to SNK005.
    """
    try:
        return _open(text)
    except ValueError as error:  # of the parts of a URL
        kind = text.partition(":")[0]
        raise EscudoError("SNK001", f"{kind}: that is no URL: {error}") from error


def _open(text: str) -> Sink:
    if text.startswith("apprise+"):  # its URL is its own, whatever is behind #
        return _open_chat(text.removeprefix("apprise+"))
    address, options = split_options(text)
    kind, _, rest = address.partition(":")
    kind = kind.lower()
    if kind in _FILES and rest:
        sink = _FILES[kind](Path(rest))
    elif kind in ("hec+https", "hec+http"):
        sink = _open_hec(address.partition("+")[2], options)
    elif kind in ("https", "http"):
        sink = _open_webhook(address, options)
    elif kind in ("syslog", *(f"syslog+{transport}" for transport in _SYSLOG_PORTS)):
        sink = _open_syslog(kind.partition("+")[2] or "tcp", address, options)
    else:
        raise EscudoError("SNK001", f"{options.sink}: no sink is of the kind {kind!r}")
    options.refuse_others()
    return sink


def _open_hec(url: str, options: SinkOptions) -> Sink:
    ack_seconds = options.number("ack_seconds", 60.0)
    return HecSink(
        name=options.sink,
        url=complete_url(url),
        token=str(options.secret("token", "ESCUDO_HEC_TOKEN", required=True)),
        poster=_open_poster(options),
        index=options.text("index"),
        source=options.text("source"),
        sourcetype=options.text("sourcetype", "escudo:finding"),
        compress=options.flag("gzip", default=True),
        ocsf=options.choice("format", _FORMATS) == "ocsf",
        ack_seconds=ack_seconds if options.flag("ack", default=False) else None,
    )


def _open_webhook(url: str, options: SinkOptions) -> Sink:
    return WebhookSink(
        name=name_secretly(url),
        url=url,
        poster=_open_poster(options),
        secret=options.secret("secret", "ESCUDO_WEBHOOK_SECRET", required=False),
        batch=int(options.number("batch", BATCH)),
        ocsf=options.choice("format", _FORMATS) == "ocsf",
    )


def _open_syslog(transport: str, address: str, options: SinkOptions) -> Sink:
    parts = urlsplit(address)
    if not parts.hostname:
        raise EscudoError("SNK001", f"{options.sink} has no host")
    verify, ca = options.flag("verify", default=True), options.text("ca")
    context = None
    if transport == "tls":
        context = ssl.create_default_context(cafile=ca or None)
        if not verify:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return SyslogSink(
        name=options.sink,
        host=parts.hostname,
        port=parts.port or _SYSLOG_PORTS[transport],
        transport=transport,
        facility=options.choice("facility", FACILITIES),
        timeout=options.number("timeout", 10.0),
        ocsf=options.choice("format", _FORMATS) == "ocsf",
        context=context,
        patience=_read_patience(options),
    )


def _open_chat(url: str) -> Sink:
    return ChatSink(name=f"apprise+{name_secretly(url, host=False)}", service=open_service(url))


def _open_poster(options: SinkOptions) -> Poster:
    client = make_client(
        verify=options.flag("verify", default=True),
        ca=options.text("ca"),
        timeout=options.number("timeout", 10.0),
    )
    return Poster(client, _read_patience(options))


def _read_patience(options: SinkOptions) -> Patience:
    usual = Patience()
    return Patience(
        attempts=int(options.number("attempts", usual.attempts)),
        seconds=options.number("retry_seconds", usual.seconds),
        first_wait=options.number("first_wait", usual.first_wait),
    )
