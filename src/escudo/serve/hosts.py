"""Settings -> the names that browsers may call the server by; ``app`` gives them to ``door``."""

from __future__ import annotations

import socket
from pathlib import Path

from cryptography import x509

from escudo.core.errors import EscudoError
from escudo.serve.settings import ServerSettings


def find_hosts(settings: ServerSettings) -> frozenset[str]:
    """Names in small letters: this machine's, those that the certificate is for, those that were
    given.

    Raises:
        EscudoError: SRV007 for a certificate that cannot be read.
    """
    names = {"localhost", socket.gethostname(), settings.host, *settings.hosts}
    if settings.certificate is not None:
        names |= _read_names(settings.certificate)
    return frozenset(name.lower().rstrip(".") for name in names if name)


def _read_names(certificate: Path) -> set[str]:
    try:
        read = x509.load_pem_x509_certificate(certificate.read_bytes())
        names = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError) as error:
        raise EscudoError("SRV007", f"{certificate}: {error}") from error
    except x509.ExtensionNotFound:
        return set()
    return set(names.get_values_for_type(x509.DNSName))
