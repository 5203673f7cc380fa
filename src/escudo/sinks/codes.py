"""The error codes of sinks."""

from __future__ import annotations

from collections.abc import Mapping

from escudo.core.errors import ErrorCode

_ROWS = (
    ErrorCode(
        "SNK001",
        "no sink of that kind",
        "A sink is `jsonl:FILE`, `csv:FILE`, `ocsf:FILE`, `hec+https://HOST:8088`, "
        "`syslog+tls://HOST`, `https://HOST/PATH` (a webhook) or `apprise+URL`.",
    ),
    ErrorCode(
        "SNK002",
        "an option that the sink does not have, or a value that it cannot take",
        "Options stand behind the URL: `hec+https://splunk:8088#index=main&ack=true`; "
        "docs/sinks.md has those of each sink.",
    ),
    ErrorCode(
        "SNK003",
        "a sink needs a secret that is not there",
        "Put it into the environment variable that the message names; a secret on the command line "
        "is seen by others.",
    ),
    ErrorCode(
        "SNK004",
        "chat needs apprise, which is not installed",
        "Install the extra: `pip install 'escudo[notify]'`.",
    ),
    ErrorCode(
        "SNK005",
        "the file has other columns",
        "Findings are added to a CSV file that has their columns; name another file.",
    ),
    ErrorCode(
        "SNK006",
        "findings could not be delivered",
        "They are in the dead-letter file that the message names; `escudo sinks retry` sends them "
        "again.",
    ),
    ErrorCode(
        "SNK007",
        "no dead letters",
        "Name a file that Escudo wrote: each line has a `sink`, a `reason` and a `finding`.",
    ),
)

CODES: Mapping[str, ErrorCode] = {row.code: row for row in _ROWS}
