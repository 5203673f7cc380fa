"""The error codes of the generator, for ``docs/errors.md``."""

from __future__ import annotations

from collections.abc import Mapping

from escudo.core.errors import ErrorCode

CODES: Mapping[str, ErrorCode] = {
    code.code: code
    for code in (
        ErrorCode(
            "GEN001",
            "too few or too many events asked for",
            "Ask for at most 1,000,000,000 events, and for at least 1,000 of a Windows estate.",
        ),
        ErrorCode(
            "GEN002",
            "unknown output format",
            "Use one of xml, evtx-json, 4688, fdr, cloudtrail, o365, entra, auditd, suricata, "
            "access.",
        ),
        ErrorCode(
            "GEN003",
            "the start has no time zone",
            "Give the start as a date with a time zone, for example 2024-05-14T00:00:00Z.",
        ),
    )
}
