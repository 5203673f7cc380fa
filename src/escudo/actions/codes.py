"""The error codes of what a user asks for, raised by actions and by the command line."""

from collections.abc import Mapping

from escudo.core.errors import ErrorCode

CODES: Mapping[str, ErrorCode] = {
    c.code: c
    for c in (
        ErrorCode(
            "CLI001",
            "No such story",
            "Name a story as the content's stories name it; `escudo hunt --help` shows how to "
            "add content.",
        ),
        ErrorCode(
            "CLI002",
            "A detection type has no deployment",
            "Add a deployment file for the type to the content or to the overlay.",
        ),
        ErrorCode(
            "CLI003",
            "A time that cannot be read",
            "Use a relative time (-24h@h, @d), `now`, epoch seconds, a date (2026-11-24, "
            "11/24/2026:08:00:00), or ISO-8601 (2026-11-24T08:00:00Z, with any offset).",
        ),
        ErrorCode(
            "CLI004",
            "No log was read",
            "Name files or folders that hold logs in a format that Escudo reads (docs/sources.md).",
        ),
        ErrorCode(
            "CLI006",
            "No search there",
            "Give SPL in quotes, a file of SPL, a YAML file or folder of content, or the name of "
            "a detection.",
        ),
        ErrorCode(
            "CLI007",
            "The engine cannot run here",
            "Install what the message names, or use --engine duckdb.",
        ),
        ErrorCode(
            "CLI008",
            "An amount of memory that cannot be read",
            "Give a number and a unit: --memory 4GB.",
        ),
        ErrorCode(
            "CLI009",
            "No detection is left",
            "Ask for less: --type, --status, --technique, --min-severity and --exclude hold "
            "together. Deprecated detections run where their status or their name is asked for.",
        ),
        ErrorCode(
            "CLI010",
            "No format of that name",
            "The end of a file's name says the format; the message lists those that there are.",
        ),
        ErrorCode(
            "CLI012",
            "No such process",
            "Look for its host and id: `escudo search '| tstats count from "
            "datamodel=Endpoint.Processes by Processes.dest Processes.process_id'`.",
        ),
        ErrorCode(
            "CLI020",
            "No such time zone",
            "Give a name of the IANA database, such as Europe/Berlin, or UTC, or local.",
        ),
        ErrorCode(
            "CLI021",
            "An extra is missing",
            "Install what the message names: `pip install 'escudo[charts]'`.",
        ),
        ErrorCode(
            "CLI022",
            "Nothing to draw",
            "Let the search end in timechart, chart, top, rare or stats: a chart needs rows with "
            "a number beside a time or a name.",
        ),
        ErrorCode(
            "CLI023",
            "No name for a saved search",
            "Use letters, digits and _, with a letter first.",
        ),
        ErrorCode(
            "CLI024",
            "No such command of the shell",
            "`.help` lists the commands; a search begins with no dot.",
        ),
        ErrorCode(
            "CLI025",
            "A command of the shell that cannot be done",
            "The message says what it takes; `.help` shows how each is written.",
        ),
        ErrorCode(
            "CLI030",
            "A configuration file that cannot be read",
            "It is TOML: `key = value`, texts in quotes. `escudo config --path` names the files.",
        ),
        ErrorCode(
            "CLI031",
            "A key that the configuration has not",
            "docs/configuration.md lists the keys; the hint names the closest one.",
        ),
        ErrorCode(
            "CLI032",
            "A value that a key of the configuration cannot have",
            "The message says what it may be.",
        ),
        ErrorCode(
            "CLI040",
            "No answer of git",
            "Name content that is in a git checkout, and a revision that it knows: --changed=main.",
        ),
        ErrorCode(
            "CLI041",
            "A file of allowed numbers that cannot be read",
            "It is YAML: the name or id of a detection, a colon, and how many rows it may give.",
        ),
    )
}
