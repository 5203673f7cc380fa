"""All routes of Splunk's REST, for ``app``; any other path is answered in Splunk's form, too."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.responses import Response
from starlette.routing import Route

from escudo.serve.permissions import Permission
from escudo.serve.splunk import collections, configurations, jobs, saved, system
from escudo.serve.splunk.call import Call, make_routes
from escudo.serve.splunk.feeds import RefusalError


def list_routes() -> Iterator[Route]:
    for part in (system, configurations, jobs, saved, collections):
        yield from part.list_routes()
    methods = ("GET", "POST", "PUT", "DELETE", "PATCH")
    yield from make_routes("{rest:path}", Permission.KNOWN, dict.fromkeys(methods, _find_nothing))


def _find_nothing(call: Call) -> Response:
    raise RefusalError(404, f"{call.path} is not of the part of Splunk's REST that Escudo speaks")
