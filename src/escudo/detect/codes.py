"""The error codes of running and testing detections."""

from __future__ import annotations

from collections.abc import Mapping

from escudo.core.errors import ErrorCode

_ROWS = (
    ErrorCode(
        "DET001",
        "a search could not be run, or written what it asks",
        "The cause is a fault of the engine or of Escudo, not of the search; the other searches"
        " ran. Report it with the search and the message.",
    ),
    ErrorCode(
        "DET002",
        "no such baseline",
        "Name a baseline as its file does, or give its id; without --baseline all of them run.",
    ),
    ErrorCode(
        "DET101",
        "a test found no row",
        "Check that the events were read and normalised to the data model that the search names.",
    ),
    ErrorCode(
        "DET102",
        "a risk object's field is missing or null in a row",
        "contentctl fails such a test unless a row before it has all fields. Let the search return"
        " the field, or correct the risk object.",
    ),
    ErrorCode(
        "DET103",
        "a threat object's field is null in every row",
        "Let the search return the field, or correct the threat object.",
    ),
    ErrorCode(
        "DET104",
        "a negative test found rows",
        "The search matches events that it must not match; the rows show which.",
    ),
    ErrorCode(
        "DET105",
        "a test found another number of rows than it must",
        "Compare the rows with the test's data; correct the search or the test.",
    ),
    ErrorCode(
        "DET106",
        "a drilldown gives no row for what a test found",
        "Correct the drilldown's search, or its window; the message names the one that is empty.",
    ),
    ErrorCode(
        "DET107",
        "a test's data is not here, or cannot be read",
        "It counts as a failure since --require-data was given.",
    ),
    ErrorCode(
        "DET108",
        "a detection fires on known-good logs more often than allowed",
        "Leave out in its filter macro what is ordinary, sharpen its search, or allow the number"
        " in the file of --allow.",
    ),
    ErrorCode(
        "DET110",
        "a test's data cannot be fetched",
        "Try the address by hand, give a checkout of the data (--attack-data), or leave what has"
        " to be fetched out (--offline).",
    ),
    ErrorCode(
        "DET201",
        "no such event",
        "Take an `_event_id` of the lake that is asked; `escudo why` shows some with --near.",
    ),
    ErrorCode(
        "DET202",
        "an event that is no JSON object",
        'Give the fields of one event: {"process_name": "cmd.exe", "user": "alice"}.',
    ),
    ErrorCode(
        "DET203",
        "a field that the dataset does not have",
        "It takes no part in the search; use the data model's name for it (docs/cim.md).",
    ),
)

CODES: Mapping[str, ErrorCode] = {row.code: row for row in _ROWS}
