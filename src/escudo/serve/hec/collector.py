"""The routes of HEC: what shippers post becomes events of the lake; ``app`` has them.

``Success`` is answered once the events are in the lake's ledger: the receiver commits a second's
worth together, so a post waits about that long, and a sender with several connections loses no
time. A token with ``useACK`` is answered at once, with an id to ask for; the id is acknowledged
once the events are in the ledger.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import wraps
from typing import TypeAlias

import orjson
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from escudo.core.errors import EscudoError
from escudo.inputs.received import Received, ReceivedText, make_key
from escudo.inputs.receiver import Receipt
from escudo.lake.labels import Labels
from escudo.serve.bodies import BodyError, read_body
from escudo.serve.guard import find_address
from escudo.serve.hec.answers import (
    ACK_DISABLED,
    BUSY,
    CHANNEL_MISSING,
    FULL,
    HEALTHY,
    INCORRECT_INDEX,
    INTERNAL,
    INVALID_CHANNEL,
    INVALID_FORMAT,
    NO_DATA,
    SUCCESS,
    HecError,
    respond,
)
from escudo.serve.hec.channels import Channels
from escudo.serve.hec.event_bodies import read_events
from escudo.serve.hec.senders import Sender, Senders
from escudo.serve.permissions import Permission, asks
from escudo.serve.server import Server

_INLINE_BYTES = 64 << 10
"""Bytes of a body that are taken apart at once, in a millisecond; larger ones beside the loop."""
_MOST_ACKS = 100_000
_BASE = "/services/collector"
_Endpoint: TypeAlias = Callable[["Collector", Request], Awaitable[Response]]


def make_routes(server: Server) -> Sequence[Route]:
    """The routes, with and without the version that Splunk's clients may ask for."""
    collector = Collector(server)
    paths = {
        "": collector.take_events,
        "/event": collector.take_events,
        "/event/1.0": collector.take_events,
        "/raw": collector.take_raw,
        "/raw/1.0": collector.take_raw,
        "/ack": collector.tell_acks,
        "/ack/1.0": collector.tell_acks,
    }
    routes = [Route(_BASE + path, endpoint, methods=["POST"]) for path, endpoint in paths.items()]
    for path in ("/health", "/health/1.0"):
        routes.append(Route(_BASE + path, collector.tell_health, methods=["GET"]))
    return routes


def _refuse(endpoint: _Endpoint) -> _Endpoint:
    """Answers with the code of what an endpoint raises."""

    @wraps(endpoint)
    async def answer(self: Collector, request: Request) -> Response:
        try:
            return await endpoint(self, request)
        except HecError as error:
            return respond(error.answer, number=error.number, status=error.status)
        except BodyError as error:
            return respond(INVALID_FORMAT, status=error.status)
        except EscudoError as error:
            return respond(INTERNAL if error.code == "INP005" else BUSY)

    return answer


class Collector:
    """The endpoints, and what they keep between requests."""

    def __init__(self, server: Server) -> None:
        self._receiver = server.receiver
        self._most_body = server.settings.most_body
        self._senders = Senders(server.accounts.tokens)
        self._channels = Channels()

    @asks(Permission.ANYBODY)
    @_refuse
    async def take_events(self, request: Request) -> Response:
        """``/event``: JSON objects, each with an event."""
        sender = await self._senders.require(request)
        channel = _read_channel(request, sender)
        labels = _read_labels(request, sender)
        body = await self._read_body(request)
        defaults = replace(sender.defaults, host=find_address(request) or None)

        def read() -> Received:
            return read_events(
                body,
                labels=labels,
                defaults=defaults,
                may_index=sender.may_index,
                origin=f"hec:{sender.token.name}",
                received=time.time(),
                key=_make_key(request, sender, channel, body),
            )

        large = len(body) > _INLINE_BYTES
        return await self._accept(
            request, sender, channel, await run_in_threadpool(read) if large else read()
        )

    @asks(Permission.ANYBODY)
    @_refuse
    async def take_raw(self, request: Request) -> Response:
        """``/raw``: a text, which is broken into events as a file of its format is."""
        sender = await self._senders.require(request)
        channel = _read_channel(request, sender)
        labels = _read_labels(request, sender)
        body = await self._read_body(request)
        text = ReceivedText(
            data=body,
            labels=labels,
            defaults=replace(sender.defaults, host=find_address(request) or None),
            origin=f"hec:{sender.token.name}",
            received=time.time(),
            key=_make_key(request, sender, channel, body),
        )
        return await self._accept(request, sender, channel, text)

    @asks(Permission.ANYBODY)
    @_refuse
    async def tell_acks(self, request: Request) -> Response:
        """``/ack``: which ids are in the lake."""
        sender = await self._senders.require(request)
        if not sender.wants_ack:
            raise HecError(ACK_DISABLED)
        channel = _read_channel(request, sender)
        assert channel is not None
        body = await self._read_body(request)
        try:
            numbers = orjson.loads(body)["acks"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise HecError(INVALID_FORMAT) from None
        if not isinstance(numbers, list) or len(numbers) > _MOST_ACKS:
            raise HecError(INVALID_FORMAT)
        if not all(isinstance(n, int) and not isinstance(n, bool) for n in numbers):
            raise HecError(INVALID_FORMAT)
        told = self._channels.ask(sender.id, channel, numbers)
        return JSONResponse({"acks": {str(number): done for number, done in told.items()}})

    @asks(Permission.ANYBODY)
    async def tell_health(self, request: Request) -> Response:
        """``/health``: whether more is taken now."""
        return respond(FULL if self._receiver.is_full else HEALTHY)

    async def _read_body(self, request: Request) -> bytes:
        try:
            body = await read_body(request, self._most_body)
        except ClientDisconnect:
            raise HecError(INVALID_FORMAT) from None
        if not body.strip():
            raise HecError(NO_DATA)
        return body

    async def _accept(
        self, request: Request, sender: Sender, channel: str | None, item: Received
    ) -> Response:
        if sender.wants_ack:
            assert channel is not None
            if not self._channels.has_room(sender.id, channel):
                raise HecError(BUSY)
            receipt = self._receiver.accept(item)
            return respond(SUCCESS, ack=self._channels.add(sender.id, channel, receipt))
        receipt = self._receiver.accept(item)
        await asyncio.wrap_future(receipt.done)
        answer = respond(SUCCESS)
        if not await request.is_disconnected():
            answer.background = BackgroundTask(_tell_answered, receipt)
        return answer


async def _tell_answered(receipt: Receipt) -> None:
    receipt.answered()


def _read_channel(request: Request, sender: Sender) -> str | None:
    """The channel, which acknowledgements need."""
    channel = request.headers.get("x-splunk-request-channel")
    channel = channel or request.query_params.get("channel") or None
    if sender.wants_ack:
        if channel is None:
            raise HecError(CHANNEL_MISSING)
        try:
            return str(uuid.UUID(channel))
        except ValueError:
            raise HecError(INVALID_CHANNEL) from None
    return channel


def _read_labels(request: Request, sender: Sender) -> Labels:
    """What the query says of all events, and the token where that says nothing."""
    query, own = request.query_params, sender.labels
    labels = Labels(
        source=query.get("source") or own.source,
        sourcetype=query.get("sourcetype") or own.sourcetype,
        host=query.get("host") or own.host,
        index=query.get("index") or own.index,
    )
    if labels.index is not None and not sender.may_index(labels.index):
        raise HecError(INCORRECT_INDEX)
    return labels


def _make_key(request: Request, sender: Sender, channel: str | None, body: bytes) -> str | None:
    """By what the same request is known again; without a channel none is the same."""
    if channel is None:
        return None
    where = f"{sender.id} {channel} {request.url.path}?{request.url.query}"
    return make_key(where.encode(), body)
