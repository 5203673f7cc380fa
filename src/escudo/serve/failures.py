"""An exception of a route -> a response, all in one form; ``app`` registers them.

The form is that of Splunk's REST in JSON: ``{"messages": [{"type", "text", "code"?, "help"?}]}``.
What a request brought is not repeated: there may be a password in it. A browser that asks for a
page is given one.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from escudo.core.errors import EscudoError
from escudo.core.event_log import ERROR, log_event
from escudo.core.faults import explain_fault
from escudo.serve.accounts.attempts import MINUTES
from escudo.serve.messages import Failure, FailureMessage
from escudo.serve.pages.errors import render_error, wants_page

_STATUS = {
    "CON205": 404,
    "SRV004": 404,
    "SRV008": 429,
    "SRV030": 404,
    "SRV031": 503,
    "SRV038": 404,
    "SRV040": 403,
    "SRV041": 404,
    "SRV042": 413,
    "SRV050": 503,
    "SRV072": 404,
    "SRV073": 404,
    "SRV075": 429,
    "SRV076": 403,
    "SRV090": 409,
    "SRV094": 404,
    "SRV095": 401,
    "TRI004": 409,
    "TRI005": 404,
}
"""The status of errors that are not about what was sent."""


def add_handlers(app: FastAPI) -> None:
    """Has an application answer all failures so."""
    app.add_exception_handler(EscudoError, _tell_error)
    app.add_exception_handler(RequestValidationError, _tell_invalid)
    app.add_exception_handler(HTTPException, _tell_refused)
    app.add_exception_handler(Exception, _tell_fault)


def _answer(status: int, *messages: FailureMessage, headers: Any = None) -> Response:
    body = Failure(messages=list(messages)).model_dump(exclude_none=True)
    return JSONResponse(body, status, headers=headers)


async def _tell_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, EscudoError)
    told = error.diagnostic
    status = _STATUS.get(error.code, 400)
    if wants_page(request) and error.code != "SRV050":
        return await run_in_threadpool(
            render_error, request, status, told.message, hint=told.hint or ""
        )
    headers = {"Retry-After": str(MINUTES * 60)} if error.code == "SRV008" else None
    message = FailureMessage(type="ERROR", code=error.code, text=told.message, help=told.hint)
    return _answer(status, message, headers=headers)


async def _tell_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if wants_page(request):
        return await run_in_threadpool(render_error, request, 422)
    return _answer(
        422,
        *(
            FailureMessage(type="ERROR", text=f"{'.'.join(map(str, row['loc']))}: {row['msg']}")
            for row in error.errors()
        ),
    )


async def _tell_refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if wants_page(request):
        text = error.detail if error.status_code != 404 else ""
        return await run_in_threadpool(render_error, request, error.status_code, text)
    message = FailureMessage(type="ERROR", text=str(error.detail))
    return _answer(error.status_code, message, headers=error.headers)


async def _tell_fault(request: Request, error: Exception) -> Response:
    told = explain_fault(error)
    log_event("request failed", level=ERROR, path=request.url.path, error=told.message)
    if wants_page(request):
        return await run_in_threadpool(render_error, request, 500)
    return _answer(500, FailureMessage(type="ERROR", code=told.code, text="internal"))
