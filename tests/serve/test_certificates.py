"""TLS: the certificate that is made, versions, cookies over it, certificates that are wrong."""

from __future__ import annotations

import socket
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import trustme
from cryptography import x509

from escudo.serve.certificates import DAYS, find_certificate
from tests.serve.conftest import make_users
from tests.serve.running import PASSWORD, RunningServer, run_server

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def test_a_certificate_is_made_once_and_anew_before_it_ends(tmp_path: Path) -> None:
    certificate, key = find_certificate(tmp_path / "tls", "siem.example", NOW)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    first = certificate.read_bytes()
    read = x509.load_pem_x509_certificate(first)
    names = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {"siem.example", "localhost"} <= set(names.get_values_for_type(x509.DNSName))
    find_certificate(tmp_path / "tls", "siem.example", NOW + timedelta(days=DAYS - 60))
    assert certificate.read_bytes() == first
    find_certificate(tmp_path / "tls", "siem.example", NOW + timedelta(days=DAYS - 10))
    assert certificate.read_bytes() != first


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with the certificate of a company's authority, for one name."""
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    issued = authority.issue_cert("localhost", "127.0.0.1", "siem.corp.example")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    for part in issued.cert_chain_pems:
        part.write_to_path(folder / "cert.pem", append=True)
    options = ["--certificate", str(folder / "cert.pem"), "--key", str(folder / "key.pem")]
    with run_server(folder / "lake", ["--no-schedule", *options]) as running:
        make_users(folder / "lake")
        yield running


def trust(server: RunningServer) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=server.lake.parent / "ca.pem")


@pytest.mark.slow
def test_the_cookie_is_of_this_host_alone(encrypted: RunningServer) -> None:
    assert encrypted.url.startswith("https://")
    with httpx.Client(base_url=encrypted.url, verify=trust(encrypted)) as client:
        answer = client.post("/api/login", json={"name": "viewer", "password": PASSWORD})
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-escudo_session=")
        assert "; Secure" in cookie
        assert "Domain" not in cookie
        assert answer.headers["strict-transport-security"].startswith("max-age=")
        assert client.get("/api/me").status_code == 200
        secret = client.cookies["__Host-escudo_session"]
        client.cookies.clear()
        client.cookies.set("escudo_session", secret)
        assert client.get("/api/me").status_code == 401


@pytest.mark.slow
def test_browsers_may_call_it_what_the_certificate_does(encrypted: RunningServer) -> None:
    for host, status in {"siem.corp.example": 200, "other.corp.example": 421}.items():
        answer = httpx.get(
            f"{encrypted.url}/api/health", headers={"Host": host}, verify=trust(encrypted)
        )
        assert answer.status_code == status


@pytest.mark.slow
def test_who_does_not_know_the_authority_goes_no_further(encrypted: RunningServer) -> None:
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"{encrypted.url}/api/health", verify=ssl.create_default_context())


@pytest.mark.slow
@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3"])
def test_old_versions_of_tls_are_refused(encrypted: RunningServer, version: str) -> None:
    context = trust(encrypted)
    context.set_ciphers("ALL:@SECLEVEL=0")
    wanted = getattr(ssl.TLSVersion, version)
    with (
        pytest.warns(DeprecationWarning, match="deprecated")
        if version < "TLSv1_2"
        else nullcontext()
    ):
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = wanted
    place = urlsplit(encrypted.url)
    with socket.create_connection((place.hostname, place.port), 20) as plain:
        if version < "TLSv1_2":
            with pytest.raises(ssl.SSLError):
                context.wrap_socket(plain, server_hostname="localhost")
            return
        with context.wrap_socket(plain, server_hostname="localhost") as connection:
            assert connection.version() == version.replace("_", ".")


@pytest.mark.slow
def test_what_is_not_encrypted_is_not_answered(encrypted: RunningServer) -> None:
    with pytest.raises(httpx.TransportError):
        httpx.get(encrypted.url.replace("https", "http") + "/api/health", timeout=20)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--certificate", "{cert}", "--key", "{other}"], "SRV007"),
        (["--certificate", "{none}", "--key", "{key}"], "SRV007"),
        (["--certificate", "{cert}"], "SRV007"),
        (["--host", "0.0.0.0"], "--tls"),
    ],
    ids=["another's key", "no certificate", "no key", "open and plain"],
)
def test_a_start_that_would_not_be_safe(
    encrypted: RunningServer, tmp_path: Path, options: list[str], told: str
) -> None:
    folder = encrypted.lake.parent
    issued = trustme.CA().issue_cert("localhost")
    issued.private_key_pem.write_to_path(tmp_path / "other.pem")
    (tmp_path / "none.pem").write_text("no certificate")
    places = {
        "cert": folder / "cert.pem",
        "key": folder / "key.pem",
        "other": tmp_path / "other.pem",
        "none": tmp_path / "none.pem",
    }
    given = [option.format(**places) for option in options]
    command = [sys.executable, "-m", "escudo.cli", "serve", "--lake", str(tmp_path / "lake")]
    done = subprocess.run(
        [*command, "--port", "0", "--no-schedule", *given],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode != 0
    assert told in done.stderr
    assert "Traceback" not in done.stderr
