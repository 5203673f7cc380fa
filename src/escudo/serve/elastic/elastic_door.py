"""The routes of Elasticsearch that Beats and Elastic Agent call -> events of the lake; ``app`` has
them.

They stand below ``/elastic`` (``output.elasticsearch: hosts: ["https://SERVER/elastic"]``), and,
but for ``/``, at the root, too. What senders set up before (templates, lifecycles, pipelines,
aliases) is said to be there: events need none of it. Everybody who sends brings a HEC token: as API
key (``NAME:TOKEN``), or as the password of Basic.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from escudo.core.errors import EscudoError
from escudo.inputs.received import ReceivedEvents
from escudo.lake.labels import Labels
from escudo.serve.bodies import BodyError, read_body
from escudo.serve.elastic.bulk import Bulk, BulkError, read_bulk
from escudo.serve.guard import find_address
from escudo.serve.hec.senders import Sender, Senders, read_secret
from escudo.serve.permissions import Permission, asks
from escudo.serve.server import Server

PREFIX = "/elastic"
VERSION = "8.17.0"
"""The version that senders are told: those of 7 and 8 send to a server of their own or a later one,
and are told so here that nothing of version 9 is there."""
_HEADERS = {"X-elastic-product": "Elasticsearch"}

_ABOUT = {
    "name": "escudo",
    "cluster_name": "escudo",
    "cluster_uuid": "escudo-takes-events-in",
    "version": {
        "number": VERSION,
        "build_flavor": "default",
        "build_type": "deb",
        "build_snapshot": False,
        "lucene_version": "9.12.0",
        "minimum_wire_compatibility_version": "7.17.0",
        "minimum_index_compatibility_version": "7.0.0",
    },
    "tagline": "You Know, for Search",
}
_LICENCE = {"status": "active", "uid": "escudo", "type": "basic", "issued_to": "escudo"}
_HEALTH = {
    "cluster_name": "escudo", "status": "green", "timed_out": False, "number_of_nodes": 1,
    "number_of_data_nodes": 1, "active_primary_shards": 0, "active_shards": 0,
    "unassigned_shards": 0,
}  # fmt: skip
_DONE = {"acknowledged": True}

_THINGS = (
    "_index_template",
    "_component_template",
    "_template",
    "_ilm/policy",
    "_data_stream",
    "_alias",
    "_ingest/pipeline",
)
"""What senders look for and set up, by name."""

_Answer = Callable[[Request], Awaitable[Response]]


def make_routes(server: Server) -> Sequence[Route]:
    """The routes."""
    door = ElasticDoor(server)
    fixed: dict[str, Any] = {
        "/_license": {"license": _LICENCE},
        "/_xpack": {"license": _LICENCE, "features": {"ilm": {"available": True, "enabled": True}}},
        "/_cluster/health": _HEALTH,
        "/_nodes/ingest": {"nodes": {}},
    }
    routes = [Route(f"{PREFIX}{path}", door.tell(_ABOUT)) for path in ("", "/")]
    for base in (PREFIX, ""):
        routes += [Route(base + path, door.tell(answer)) for path, answer in fixed.items()]
        for thing in _THINGS:
            path = f"{base}/{thing}/{{name:path}}"
            routes.append(Route(path, door.show_thing, methods=["GET"]))
            routes.append(Route(path, door.tell(_DONE), methods=["PUT", "POST"]))
        for path in ("/_bulk", "/{index}/_bulk"):
            routes.append(Route(base + path, door.take_bulk, methods=["POST", "PUT"]))
    routes.append(Route(f"{PREFIX}/{{index}}", door.tell(_DONE), methods=["PUT", "GET"]))
    return routes


class ElasticDoor:
    """The endpoints."""

    def __init__(self, server: Server) -> None:
        self._receiver = server.receiver
        self._most_body = server.settings.most_body
        self._senders = Senders(server.accounts.tokens)

    def tell(self, answer: Any) -> _Answer:
        """An endpoint that always answers the same to those who may send."""

        @asks(Permission.ANYBODY)
        async def endpoint(request: Request) -> Response:
            if await self._find_sender(request) is None:
                return _refuse_sender()
            return _respond(answer)

        return endpoint

    @asks(Permission.ANYBODY)
    async def show_thing(self, request: Request) -> Response:
        """Whatever a sender looks for is there."""
        if await self._find_sender(request) is None:
            return _refuse_sender()
        return _respond({request.path_params["name"]: {}})

    @asks(Permission.ANYBODY)
    async def take_bulk(self, request: Request) -> Response:
        """``_bulk``: answered once the events are in the lake's ledger."""
        begun = time.monotonic()
        sender = await self._find_sender(request)
        if sender is None:
            return _refuse_sender()
        try:
            body = await read_body(request, self._most_body)
        except BodyError as error:
            return _fail(error.status, "illegal_argument_exception", str(error))
        except ClientDisconnect:
            return _fail(400, "illegal_argument_exception", "the body breaks off")
        index = request.path_params.get("index")
        try:
            bulk = await run_in_threadpool(read_bulk, body, index)
        except BulkError as error:
            return _fail(400, "illegal_argument_exception", str(error))
        if bulk.texts:
            events = _make_events(bulk, sender, find_address(request))
            try:
                await asyncio.wrap_future(self._receiver.accept(events).done)
            except EscudoError as error:
                reason = error.diagnostic.message
                return _fail(429, "es_rejected_execution_exception", reason)
        return _respond(bulk.answer(round((time.monotonic() - begun) * 1000)))

    async def _find_sender(self, request: Request) -> Sender | None:
        secret = _read_key(request.headers.get("authorization", ""))
        sender = await self._senders.find(secret) if secret else None
        return sender if sender is not None and self._senders.is_valid(sender) else None


def _make_events(bulk: Bulk, sender: Sender, address: str) -> ReceivedEvents:
    """An index of a document counts as one of ours where the token's list has it."""
    allowed = frozenset(sender.token.indexes)
    by_index: dict[str, Labels] = {}
    for name in set(bulk.indexes):
        by_index[name] = replace(sender.labels, index=name) if name in allowed else sender.labels
    count = len(bulk.texts)
    return ReceivedEvents(
        texts=bulk.texts,
        labels=[by_index[name] for name in bulk.indexes],
        times=[None] * count,
        fields=[{"elastic_index": name} for name in bulk.indexes],
        origin=f"elastic:{sender.token.name}",
        received=time.time(),
        defaults=replace(sender.defaults, sourcetype="_json", host=address or None),
    )


def _read_key(authorization: str) -> str | None:
    """The token in an API key, or in what HEC takes.

    >>> _read_key("ApiKey bmFtZTo0YzFk"), _read_key("Basic eDo0YzFk")
    ('4c1d', '4c1d')
    """
    scheme, _, proof = authorization.strip().partition(" ")
    if scheme.lower() == "apikey":
        try:
            return base64.b64decode(proof, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return None
    return read_secret(authorization)


def _respond(answer: Any, status: int = 200) -> Response:
    return JSONResponse(answer, status, headers=dict(_HEADERS))


def _fail(status: int, kind: str, reason: str) -> Response:
    error = {"type": kind, "reason": reason}
    return _respond({"error": {"root_cause": [error], **error}, "status": status}, status)


_refuse_sender = partial(
    _fail, 401, "security_exception", "bring a HEC token as API key or password"
)
