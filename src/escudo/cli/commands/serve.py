"""``escudo serve``: HEC and syslog, Splunk's REST, schedules, and pages for analysts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict
from datetime import UTC, datetime, tzinfo
from ipaddress import ip_address, ip_network
from pathlib import Path

import click

from escudo import startup
from escudo.actions.engines import EngineChoice
from escudo.cli.options import (
    content_options,
    engine_options,
    lake_option,
    load_keyed_content,
    open_cache,
    policy_option,
    sources_option,
)
from escudo.cli.place_type import PlaceType
from escudo.cli.progress import show_diagnostics
from escudo.cli.state_options import open_state, state_option
from escudo.cli.terminal import escape_line, open_stderr
from escudo.cli.zone_names import find_zone
from escudo.core.errors import EscudoError
from escudo.core.interrupts import meet_stop
from escudo.detect.screening import Screener
from escudo.lake import Lake
from escudo.lake.labels import Labels
from escudo.lake.place import LakePlace
from escudo.lake.policy import Policy, read_policy
from escudo.lake.tables import Tables
from escudo.serve.accounts.oidc import read_oidc
from escudo.serve.accounts.roles import read_limits
from escudo.serve.accounts.users import FIRST_USER
from escudo.serve.certificates import find_certificate
from escudo.serve.live_content import LiveContent
from escudo.serve.run import listen, serve
from escudo.serve.server import Server, work_beside
from escudo.serve.settings import ServerSettings, SyslogPorts
from escudo.serve.syslog.listening import Listening, listen_for_syslog
from escudo.startup import prepare_process

_PEM = PlaceType("certificate", exists=True, dir_okay=False)
_TOML = PlaceType("settings", exists=True, dir_okay=False)


@click.command()
@lake_option(required=True)
@sources_option
@state_option
@content_options
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="0: any free one.",
)
@click.option("--tls", is_flag=True, help="Encrypt, with a certificate that is made and kept.")
@click.option("--certificate", type=_PEM, help="Encrypt, with this certificate (PEM).")
@click.option("--key", type=_PEM, help="The key of --certificate (PEM).")
@click.option(
    "--allow-host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="Name that browsers may call it by, beside this machine's and the certificate's.",
)
@click.option(
    "--proxy",
    "proxies",
    multiple=True,
    metavar="ADDRESS",
    callback=lambda _context, _option, given: _read_networks(given),
    help="Proxy (address or network) that is believed for whom it asks.",
)
@click.option("--limits", "limits_path", type=_TOML, help="What roles see and may take (TOML).")
@click.option("--oidc", "oidc_path", type=_TOML, help="Provider that logs users in, too (TOML).")
@click.option("--syslog-tcp", type=click.IntRange(0, 65535), help="Port of syslog over TCP.")
@click.option("--syslog-udp", type=click.IntRange(0, 65535), help="Port of syslog over UDP.")
@click.option(
    "--syslog-tls", type=click.IntRange(0, 65535), help="Port of syslog over TLS (needs --tls)."
)
@click.option("--syslog-index", help="Index of events that come by syslog.")
@click.option(
    "--schedule/--no-schedule",
    default=True,
    show_default=True,
    help="Run detections as they are due.",
)
@click.option(
    "--cron-tz",
    "zone",
    default="UTC",
    show_default=True,
    callback=lambda _context, _option, name: find_zone(name),
    help="Time zone of cron lines.",
)
@engine_options
@policy_option
def command(
    lake_path: LakePlace,
    tables: Tables,
    state_place: str | None,
    content_paths: Sequence[Path],
    overlay: Path | None,
    host: str,
    port: int,
    tls: bool,
    certificate: Path | None,
    key: Path | None,
    hosts: tuple[str, ...],
    proxies: tuple[str, ...],
    limits_path: Path | None,
    oidc_path: Path | None,
    syslog_tcp: int | None,
    syslog_udp: int | None,
    syslog_tls: int | None,
    syslog_index: str | None,
    schedule: bool,
    zone: tzinfo,
    engine: EngineChoice,
    policy_path: Path | None,
) -> None:
    """Serve a lake: HEC and syslog in, Splunk's REST for its clients, detections by their
    schedules, and pages for analysts.

    The first start makes the user `admin` and prints his password, once. It listens to this machine
    alone unless --host says otherwise, and then wants --tls.
    """
    if (certificate is None) != (key is None):
        raise EscudoError("SRV007", "--certificate and --key go together")
    if not (tls or certificate) and not _is_loopback(host):
        raise click.UsageError(f"--host {host} is open to others: add --tls, or --certificate")
    if syslog_tls is not None and not (tls or certificate):
        raise click.UsageError("--syslog-tls needs --tls, or --certificate")
    if oidc_path is not None:
        startup.silence_authlib()
    cache = open_cache()
    loaded = load_keyed_content(content_paths, overlay, cache)
    policy = Policy() if policy_path is None else read_policy(policy_path)
    with ExitStack() as stack:
        lake = stack.enter_context(Lake.open(lake_path, create=True, tables=tables))
        state = stack.enter_context(open_state(state_place, lake_path))
        listening = stack.enter_context(listen(host, port))
        if tls and certificate is None:
            certificate, key = find_certificate(lake.path / "tls", host, datetime.now(UTC))
        settings = ServerSettings(
            host=host,
            port=port,
            certificate=certificate,
            key=key,
            syslog=SyslogPorts(syslog_tcp, syslog_udp, syslog_tls, syslog_index),
            schedule=schedule,
            zone=zone,
            hosts=hosts,
            proxies=proxies,
            roles={} if limits_path is None else read_limits(limits_path),
            oidc=None if oidc_path is None else read_oidc(oidc_path, os.environ),
        )
        server = Server(
            settings=settings,
            lake=lake,
            state=state,
            contents=LiveContent(loaded.content, state),
            engine_of=engine.make(sparing=True),
            screener=Screener(cache, loaded.key),
            prepare=prepare_process,
        )
        password = server.accounts.users.make_first()
        if password is not None:
            _tell(f"first log-in: user {FIRST_USER}, password {password} (told this once)")
        problems = stack.enter_context(
            work_beside(server, policy=policy, tell=lambda failure: show_diagnostics([failure]))
        )
        show_diagnostics(problems)
        ports = stack.enter_context(_listen_for_syslog(server))
        for name, at in asdict(ports).items():
            if at is not None:
                _tell(f"syslog over {name.upper()} at port {at}")
        try:
            serve(server, listening, started=lambda url: _tell(f"serving at {url}"))
        except KeyboardInterrupt:
            meet_stop()


def _read_networks(given: Sequence[str]) -> tuple[str, ...]:
    try:
        return tuple(str(ip_network(text)) for text in given)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _listen_for_syslog(server: Server) -> AbstractContextManager[Listening]:
    labels = Labels(index=server.settings.syslog.index)
    return listen_for_syslog(server.settings, server.receiver, server.metrics, labels=labels)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _tell(text: str) -> None:
    open_stderr().print(escape_line(text))
