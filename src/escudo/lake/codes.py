"""The error codes of the lake, for ``docs/errors.md``."""

from __future__ import annotations

from collections.abc import Mapping

from escudo.core.errors import ErrorCode

_ROWS = (
    ErrorCode(
        "LAK001",
        "not a lake",
        "The folder holds other files. Name a folder that is empty or does not exist, or a lake.",
    ),
    ErrorCode(
        "LAK002",
        "no lake there",
        "The folder does not exist or is empty. Ingest logs into it first.",
    ),
    ErrorCode(
        "LAK003",
        "the ledger is missing or damaged",
        "The tables are there, but ledger.sqlite, which says what of them is committed, is not "
        "readable. `escudo lake repair` makes a new one from the tables.",
    ),
    ErrorCode(
        "LAK004",
        "the lake has another format",
        "Another version of Escudo wrote it. Use that one, or ingest the logs into another lake.",
    ),
    ErrorCode(
        "LAK005",
        "a data file is missing",
        "A file that a committed table refers to is gone. Restore it from a backup, or drop the "
        "time range it held with `escudo lake expire`.",
    ),
    ErrorCode(
        "LAK006",
        "the log of a table is missing or damaged",
        "Restore the table's folder from a backup, or ingest the logs again into another lake.",
    ),
    ErrorCode(
        "LAK007",
        "the lake is locked",
        "Another process held the write lock for minutes. Wait for it or stop it, then repeat.",
    ),
    ErrorCode(
        "LAK008",
        "rows do not fit the table",
        "A column is unknown to the table or has values of another type. This is a defect of the "
        "source definition or the program that appends.",
    ),
    ErrorCode(
        "LAK009",
        "another process ingested the same file",
        "Both began before either had committed. The file is in the lake once; nothing to do.",
    ),
    ErrorCode(
        "LAK010",
        "the file changed while it was read",
        "Its content is in the lake as it was when read. Ingest files that are complete; pipe a "
        "growing log into standard input.",
    ),
    ErrorCode(
        "LAK011",
        "the file cannot be read",
        "Check its path and permissions.",
    ),
    ErrorCode(
        "LAK012",
        "a table changed since it was read",
        "Another process wrote to the table that the rows were derived from. Derive them again.",
    ),
    ErrorCode(
        "LAK013",
        "the lake cannot be written",
        "The disk is full, or the folder does not belong to you. What was committed is safe.",
    ),
    ErrorCode(
        "LAK014",
        "rows that the lookup cannot take",
        "The message says what they lack. Nothing was written.",
    ),
    ErrorCode(
        "LAK015",
        "no right to delete events",
        "Repeat the search with --allow-delete, if the events it finds shall really go.",
    ),
    ErrorCode(
        "LAK025",
        "no right to write to an internal index",
        "Name another index, or repeat the search with --allow-internal.",
    ),
    ErrorCode(
        "LAK026",
        "no right to change what a search would change",
        "Ask somebody whose role may write (engineer) or delete (admin).",
    ),
    ErrorCode(
        "LAK016",
        "the lake holds events of a source that is not given",
        "Name the folder with the source's YAML by --sources, as when the events came in.",
    ),
    ErrorCode(
        "LAK017",
        "what a search has left is damaged",
        "Run the search again that wrote it.",
    ),
    ErrorCode(
        "LAK019",
        "nothing to repair",
        "The ledger is sound. `escudo lake verify` says whether data files are damaged.",
    ),
    ErrorCode(
        "LAK020",
        "another process has read the same input",
        "Both follow the same file into the same lake. What that one read is in the lake once; end "
        "one of the two.",
    ),
    ErrorCode(
        "LAK021",
        "a maintenance policy that cannot be followed",
        "It is a TOML file with `retain`, `compact`, `keep_files` and a table `tables`; "
        "docs/lake.md has an example.",
    ),
    ErrorCode(
        "LAK028",
        "this work was taken for left",
        "The process said nothing for a day (it was stopped, or the machine slept), and another "
        "one cleared away what it had written. Nothing of it is in the lake; repeat it.",
    ),
    ErrorCode(
        "LAK029",
        "a lake elsewhere needs a ledger",
        "Name a database that all its machines reach, by --ledger postgresql://USER@HOST/NAME, by "
        "ESCUDO_LEDGER or `ledger` in the configuration; for one machine, an SQLite file.",
    ),
    ErrorCode(
        "LAK030",
        "the ledger is that of another lake",
        "Each lake has a ledger of its own: lake.json in the lake and the ledger have the same "
        "number. Name the one that the lake was made with.",
    ),
    ErrorCode(
        "LAK031",
        "the ledger does not answer",
        "Look whether PostgreSQL runs, and at the URL, the user and the password (PGPASSWORD or "
        "~/.pgpass). What was committed is safe.",
    ),
    ErrorCode(
        "LAK032",
        "what reads the ledger is not installed",
        "pip install 'escudo[postgres]'",
    ),
    ErrorCode(
        "LAK033",
        "no URL of a ledger",
        "It is postgresql://USER@HOST/NAME, or the path of an SQLite file.",
    ),
    ErrorCode(
        "LAK034",
        "a shared ledger is not made anew",
        "Restore its database from a backup; pg_dump keeps one while the lake is in use.",
    ),
    ErrorCode(
        "LAK035",
        "no place for a copy",
        "Name a folder or a path in a bucket, and a ledger, that hold nothing, or a copy of this "
        "lake that was stopped, which goes on.",
    ),
    ErrorCode(
        "LAK036",
        "a copy that is not like its original",
        "Nobody sees the copy yet. Repeat it; if it fails again, look at the disk, or the bucket.",
    ),
    ErrorCode(
        "LAK037",
        "the lake was written to while it was moved",
        "The copy is whole as of its beginning, and nothing was deleted. Stop what writes, delete "
        "the copy, and move again.",
    ),
    ErrorCode(
        "LAK018",
        "a data file is damaged",
        "`escudo lake verify` says which files are, and which logs can be read in again.",
    ),
    ErrorCode(
        "LAK040",
        "a worker of a cluster does not see the lake, or who began the ingest has ended",
        "The lake and the logs must be on storage that all machines have under the same path; "
        "then run it again: nothing of it is in the lake.",
    ),
)

CODES: Mapping[str, ErrorCode] = {row.code: row for row in _ROWS}
