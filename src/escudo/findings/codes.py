"""The error codes of judging matches."""

from __future__ import annotations

from collections.abc import Mapping

from escudo.core.errors import ErrorCode

_ROWS = (
    ErrorCode(
        "FND001",
        "a risk object has no value in some rows",
        "Null, empty, `null` and `unknown` are not scored. Check why the field is not there.",
    ),
    ErrorCode(
        "FND002",
        "the search does not return a risk or threat object's field",
        "Add the field to the search's BY clause or to `table`, or correct the object.",
    ),
    ErrorCode(
        "FND003",
        "a message names a field that the search does not return",
        "The token is filled with `unknown`.",
    ),
    ErrorCode(
        "FND004",
        "a drilldown names a field that the row does not have",
        "The token is filled with an empty value, which matches nothing.",
    ),
    ErrorCode(
        "FND005",
        "an ATT&CK technique is not known",
        "Its id is kept; its name and tactics are missing.",
    ),
    ErrorCode(
        "FND006",
        "throttling by a field that the search does not return",
        "All findings count as the same then. Add the field to the search, or correct its name.",
    ),
    ErrorCode(
        "FND007",
        "the window of a drilldown cannot be read",
        "Write a token ($info_min_time$), a relative time (-7d@d), an offset (7d), or seconds.",
    ),
    ErrorCode(
        "FND101",
        "there is no such row",
        "Rows count from 0.",
    ),
    ErrorCode(
        "FND102",
        "a detection type has no deployment",
        "Escudo's own content has one for each type; load it, too, or add a deployment file.",
    ),
    ErrorCode(
        "FND103",
        "the process data model is not there",
        "Process trees need Endpoint.Processes with its ids and times; it comes with Escudo's"
        " data models.",
    ),
    ErrorCode(
        "FND201",
        "a test's risk events are not those expected",
        "Compare the objects, scores and messages; correct the detection or the test.",
    ),
)

CODES: Mapping[str, ErrorCode] = {row.code: row for row in _ROWS}
