"""The codes of HEC -> responses; ``collector`` answers with them.

Texts and statuses are those of Splunk's manual (Getting Data In, "Troubleshoot HTTP Event
Collector", possible error codes).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import JSONResponse, Response


@dataclass(frozen=True, slots=True)
class Answer:
    """One row of the manual's table."""

    code: int
    status: int
    text: str


SUCCESS = Answer(0, 200, "Success")
TOKEN_DISABLED = Answer(1, 403, "Token disabled")
TOKEN_REQUIRED = Answer(2, 401, "Token is required")
INVALID_AUTHORIZATION = Answer(3, 401, "Invalid authorization")
INVALID_TOKEN = Answer(4, 403, "Invalid token")
NO_DATA = Answer(5, 400, "No data")
INVALID_FORMAT = Answer(6, 400, "Invalid data format")
INCORRECT_INDEX = Answer(7, 400, "Incorrect index")
INTERNAL = Answer(8, 500, "Internal server error")
BUSY = Answer(9, 503, "Server is busy")
CHANNEL_MISSING = Answer(10, 400, "Data channel is missing")
INVALID_CHANNEL = Answer(11, 400, "Invalid data channel")
EVENT_REQUIRED = Answer(12, 400, "Event field is required")
EVENT_BLANK = Answer(13, 400, "Event field cannot be blank")
ACK_DISABLED = Answer(14, 400, "ACK is disabled")
INDEXED_FIELDS = Answer(15, 400, "Error in handling indexed fields")
QUERY_TOKEN = Answer(16, 400, "Query string authorization is not enabled")
HEALTHY = Answer(17, 200, "HEC is healthy")
FULL = Answer(18, 503, "HEC is unhealthy, queues are full")


class HecError(Exception):
    """A request that is refused. ``number`` is that of the event at fault, from 0."""

    def __init__(
        self, answer: Answer, number: int | None = None, status: int | None = None
    ) -> None:
        self.answer = answer
        self.number = number
        self.status = status
        super().__init__(answer.text)


def respond(
    answer: Answer,
    *,
    number: int | None = None,
    ack: int | None = None,
    status: int | None = None,
) -> Response:
    """A response of a code.

    >>> bytes(respond(SUCCESS, ack=0).body)
    b'{"text":"Success","code":0,"ackId":0}'
    """
    told: dict[str, str | int] = {"text": answer.text, "code": answer.code}
    if number is not None:
        told["invalid-event-number"] = number
    if ack is not None:
        told["ackId"] = ack
    headers: Mapping[str, str] = {"Retry-After": "1"} if answer.status == 503 else {}
    return JSONResponse(told, status or answer.status, headers=dict(headers))
