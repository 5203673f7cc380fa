"""Diagnostics -> SARIF 2.1.0, which code hosts and editors show beside the line; called by
``escudo lint``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from escudo import __version__
from escudo.core.errors import Diagnostic, ErrorCode, Severity

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: Mapping[Severity, str] = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "note",
}
_DOCS = "docs/errors.md"


def build_sarif(
    diagnostics: Sequence[Diagnostic], codes: Mapping[str, ErrorCode]
) -> dict[str, Any]:
    """A SARIF log with one run; rules are the codes that occur.

    >>> log = build_sarif([Diagnostic("SPL101", "unknown command 'stat'")], {})
    >>> log["runs"][0]["results"][0]["ruleId"], log["version"]
    ('SPL101', '2.1.0')
    """
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "escudo",
                        "version": __version__,
                        "rules": list(_rules({d.code for d in diagnostics}, codes)),
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(d) for d in diagnostics],
            }
        ],
    }


def _rules(used: Iterable[str], codes: Mapping[str, ErrorCode]) -> Iterable[dict[str, Any]]:
    for code in sorted(used):
        rule: dict[str, Any] = {"id": code, "helpUri": f"{_DOCS}#{code.lower()}"}
        known = codes.get(code)
        if known is not None:
            rule["shortDescription"] = {"text": known.title}
            rule["help"] = {"text": known.advice}
        yield rule


def _result(diagnostic: Diagnostic) -> dict[str, Any]:
    text = diagnostic.message + (f" ({diagnostic.hint})" if diagnostic.hint else "")
    out: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "level": _LEVELS[diagnostic.severity],
        "message": {"text": text},
    }
    span = diagnostic.span
    if span is not None and span.file is not None:
        out["locations"] = [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": Path(span.file).as_posix()},
                    "region": {
                        "startLine": span.line,
                        "startColumn": span.column,
                        "endLine": span.end_line,
                        "endColumn": span.end_column,
                    },
                }
            }
        ]
    return out
