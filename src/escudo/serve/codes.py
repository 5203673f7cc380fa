"""The error codes of the server."""

from __future__ import annotations

from collections.abc import Mapping

from escudo.core.errors import ErrorCode

_ROWS = (
    ErrorCode("SRV001", "a name that no new user can have", "Choose another name."),
    ErrorCode("SRV002", "a role that does not exist", "Give one of those that the message lists."),
    ErrorCode(
        "SRV003", "a password that cannot be one", "Choose a longer one, a sentence for one."
    ),
    ErrorCode("SRV004", "no such user", "Look at the list of users."),
    ErrorCode("SRV005", "a token of that name exists", "Choose another name, or remove the other."),
    ErrorCode(
        "SRV006",
        "the server cannot listen there",
        "Choose another --host or --port; something else has this one, or it may not be had.",
    ),
    ErrorCode(
        "SRV007",
        "a certificate that cannot be used",
        "Give --certificate and --key together, in PEM, or --tls for one that Escudo makes.",
    ),
    ErrorCode(
        "SRV008",
        "too many log-ins have failed",
        "Wait a quarter of an hour. The audit log says for whom, and from where.",
    ),
    ErrorCode(
        "SRV070", "a window of time that has no such name", "Give one that the message lists."
    ),
    ErrorCode(
        "SRV071",
        "a schedule that cannot be one",
        "Give five fields of cron, and times relative to now such as -1h@h.",
    ),
    ErrorCode("SRV072", "no such run of a test", "Start the test again; runs are kept an hour."),
    ErrorCode("SRV073", "no such dashboard", "Look at the list of dashboards."),
    ErrorCode("SRV074", "a dashboard that cannot be one", "Name it, and give it 1 to 24 panels."),
    ErrorCode("SRV075", "too many tests at once", "Wait until one has ended, or stop one."),
    ErrorCode(
        "SRV076",
        "rejected input is shown to those who see every index",
        "Ask an administrator: what gave no event belongs to no index.",
    ),
    ErrorCode(
        "SRV050",
        "the scripts and styles of the pages have not been built",
        "Run make web in the checkout; a wheel has them.",
    ),
    ErrorCode(
        "SRV052",
        "a user who sees some indexes, and an engine that reads them all",
        "Serve with the engine duckdb, or let the role see every index.",
    ),
    ErrorCode("SRV051", "a view that cannot be kept", "Choose another name."),
    ErrorCode(
        "SRV090", "no administrator would be left", "Make somebody else an administrator first."
    ),
    ErrorCode(
        "SRV091",
        "a setting of a role that cannot be",
        "Look at docs/server-admin.md: indexes, seconds, rows, memory, at_once.",
    ),
    ErrorCode(
        "SRV092",
        "settings of OpenID Connect that cannot be",
        "Look at the example in docs/server-admin.md.",
    ),
    ErrorCode(
        "SRV093",
        "the provider's log-in failed",
        "Begin again; the audit log says why it failed.",
    ),
    ErrorCode("SRV094", "no such token", "Look at the list of tokens."),
    ErrorCode("SRV095", "a name or a password that is not right", "Try again."),
    ErrorCode(
        "SRV096",
        "a user whom another provider logs in",
        "Change the password there.",
    ),
    ErrorCode(
        "SRV030",
        "no such search",
        "It is kept for ten minutes after it was looked at last; run it again.",
    ),
    ErrorCode(
        "SRV031",
        "too many searches wait",
        "Wait until one has ended, or cancel one.",
    ),
    ErrorCode(
        "SRV032",
        "a name that no search can have",
        "Leave out the id, and one is made.",
    ),
    ErrorCode(
        "SRV033",
        "no search to run",
        "Give SPL in the field `search`.",
    ),
    ErrorCode(
        "SRV034",
        "the process of a search has died",
        "Run it again; if it dies again, report it with the search.",
    ),
    ErrorCode(
        "SRV035",
        "a search ran for longer than its user's role lets it",
        "Look at less time, or name an index and a source type.",
    ),
    ErrorCode(
        "SRV036",
        "a search took more memory than its user's role lets it",
        "Look at less time, or at fewer fields.",
    ),
    ErrorCode(
        "SRV037",
        "what a search has written",
        "Nothing is wrong.",
    ),
    ErrorCode(
        "SRV038",
        "no such saved search",
        "Look at the list of saved searches.",
    ),
    ErrorCode(
        "SRV039",
        "a name that no saved search can have",
        "Choose a name of 1 to 400 printable characters.",
    ),
    ErrorCode(
        "SRV040",
        "what is everybody's takes the right to tune",
        "Keep it for yourself, or ask an engineer.",
    ),
    ErrorCode(
        "SRV041",
        "a collection has no such row",
        "Look at the keys of its rows.",
    ),
    ErrorCode(
        "SRV042",
        "a request brings too much",
        "Send it in parts.",
    ),
    ErrorCode(
        "SRV043",
        "rows that a collection cannot take",
        "Send fewer, or other keys.",
    ),
    ErrorCode(
        "SRV044",
        "a query of the KV store that cannot be read",
        "Write it as MongoDB's, with $and, $or, $gt, $in and the like.",
    ),
)

CODES: Mapping[str, ErrorCode] = {row.code: row for row in _ROWS}
