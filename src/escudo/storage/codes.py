"""The error codes of storage, for ``docs/errors.md``."""

from __future__ import annotations

from collections.abc import Mapping

from escudo.core.errors import ErrorCode

CODES: Mapping[str, ErrorCode] = {
    row.code: row
    for row in (
        ErrorCode(
            "STO001",
            "the storage does not answer",
            "It was tried again for a time. Look at the network, the endpoint (AWS_ENDPOINT_URL) "
            "and the region, and repeat. What was committed is safe.",
        ),
        ErrorCode(
            "STO002",
            "the storage refuses",
            "Look at the credentials in the environment or the user's configuration file, and at "
            "what they may do: read, write, list and delete below the lake's path.",
        ),
        ErrorCode(
            "STO003",
            "a URL that is none of a storage",
            "A lake is a path, or s3://BUCKET/PATH, gs://BUCKET/PATH, abfs://CONTAINER@ACCOUNT.dfs."
            "core.windows.net/PATH or hdfs://HOST:PORT/PATH, of letters, digits and ._=+~-.",
        ),
        ErrorCode(
            "STO004",
            "what reads buckets is not installed",
            "pip install 'escudo[cloud]'",
        ),
        ErrorCode(
            "STO005",
            "a file is gone from the storage",
            "Another process may have deleted it after its time; repeat the search. If it stays "
            "gone, `escudo lake verify` says what is missing.",
        ),
    )
}
