"""The error codes of reading logs and of own sources, for ``docs/errors.md``."""

from __future__ import annotations

from collections.abc import Mapping

from escudo.core.errors import ErrorCode

CODES: Mapping[str, ErrorCode] = {
    row.code: row
    for row in (
        ErrorCode("SRC001", "no such file or directory", "check the path"),
        ErrorCode("SRC002", "cannot read the file", "check its permissions"),
        ErrorCode("SRC003", "the file is empty", "nothing was logged, or the copy failed"),
        ErrorCode("SRC004", "no log format recognised", "see the list of formats that are read"),
        ErrorCode("SRC005", "no logs in the directory", "name a directory that holds log files"),
        ErrorCode(
            "SRC006", "the archive is damaged", "what was readable before the damage is kept"
        ),
        ErrorCode(
            "SRC007",
            "an archive, or a member of it, is encrypted",
            "give its password: --password, --password-file or the variable ESCUDO_PASSWORD",
        ),
        ErrorCode("SRC008", "archives are nested too deep", "unpack the outer archive first"),
        ErrorCode(
            "SRC009",
            "no room for a temporary copy",
            "packed logs that come by standard input, and archives in archives, are copied first; "
            "free the disk, or point TMPDIR to another one",
        ),
        ErrorCode("SRC010", "a damaged EVTX record", "the records around it are kept"),
        ErrorCode("SRC011", "a damaged or truncated EVTX file", "what was readable is kept"),
        ErrorCode(
            "SRC012",
            "the process that decoded an EVTX file ended early, and so did a second one",
            "what it gave is kept; --force takes the file in again, that part then twice",
        ),
        ErrorCode(
            "SRC013",
            "the reader of a format failed",
            "what it gave before is kept; please report it with the file",
        ),
        ErrorCode(
            "SRC016",
            "no password that was given opens it",
            "a password file has one password a line, and each of them is tried",
        ),
        ErrorCode(
            "SRC017",
            "a library for this archive is not installed",
            "pip install 'escudo[archives]': 7z, and zip with AES",
        ),
        ErrorCode(
            "SRC014",
            "a file unpacks to more than is allowed",
            "what came before is kept; --max-unpacked and --max-members allow more",
        ),
        ErrorCode(
            "SRC015",
            "more input was rejected than is kept",
            "the first of it is kept; look there for the reason",
        ),
        ErrorCode(
            "SRC020", "an event that is not well-formed XML", "the events around it are kept"
        ),
        ErrorCode("SRC021", "text outside of an event", "only <Event> elements are read"),
        ErrorCode("SRC022", "an event without a System element", "it is not a Windows event"),
        ErrorCode("SRC030", "a line that is not valid JSON", "the lines around it are kept"),
        ErrorCode("SRC031", "a JSON value that is not an object", "only objects are events"),
        ErrorCode("SRC032", "a JSON array that breaks off", "the events before the break are kept"),
        ErrorCode(
            "SRC033", "a row of a CSV file that cannot be read", "the rows around it are kept"
        ),
        ErrorCode(
            "SRC034", "a line of a text with a NUL byte in it", "the lines around it are kept"
        ),
        ErrorCode(
            "SRC035",
            "a row with more or fewer values than its header has names",
            "the rows around it are kept",
        ),
        ErrorCode(
            "SRC036", "a Parquet file that cannot be read", "the rows before the damage are kept"
        ),
        ErrorCode(
            "SRC040",
            "files and folders passed over",
            "they belong to version control, tools or the file system; name one to have it read",
        ),
        ErrorCode(
            "SRC050", "a source definition is wrong", "docs/sources.md shows what a definition has"
        ),
        ErrorCode("SRC051", "two sources of one name", "give the own source another name"),
        ErrorCode(
            "SRC052", "no source in the folder", "name a folder whose YAML files define sources"
        ),
        ErrorCode(
            "SRC053",
            "a calculated field of a source cannot be compiled",
            "it is an SPL eval expression over the fields of the source",
        ),
        ErrorCode(
            "SRC054",
            "a sample of a source is wrong",
            "a sample has a text, and the rows and models that it must become",
        ),
        ErrorCode(
            "SRC055",
            "no sample of a source in the folder",
            "a source's YAML carries samples, or a file NAME.samples.yml beside it has them",
        ),
        ErrorCode(
            "SRC056",
            "no source can be drafted from the file",
            "give a file of lines of text, a thousand of them or so",
        ),
        ErrorCode("SRC057", "the draft cannot be written", "name a file that is not there yet"),
        ErrorCode(
            "SRC060",
            "events that look like Windows events in no known form",
            "no detection sees them: see docs/sources.md for the forms that are read, or describe "
            "theirs as a source of your own (--sources)",
        ),
        ErrorCode(
            "SRC061",
            "a file of which no event met a source",
            "no detection for a known source sees it: describe it as a source of your own "
            "(--sources)",
        ),
        ErrorCode(
            "SRC062",
            "process events without image and command line",
            "detections of processes do not see them: the fields have other names, or are not "
            "logged",
        ),
        ErrorCode(
            "SRC063",
            "a time that cannot be read",
            "the events have the file's time and the field time_source=file; --date-order says "
            "what 03/05/2024 means",
        ),
        ErrorCode(
            "SRC064",
            "times without a time zone",
            "classic WinEventLog text has the local time of who wrote it and does not name the "
            "zone: times are taken as UTC; an export with _time, or XML, has them right",
        ),
    )
}
