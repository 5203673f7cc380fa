"""Ports -> messages of syslog for the receiver; ``server.work_beside`` has them listened at.

Over TCP and TLS nothing more is read of a connection while too much waits, or while what it brought
is not in the lake yet: so the sender waits, and keeps what it has. UDP cannot be told to wait: what
comes while too much waits is counted as turned away.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from escudo.core.errors import EscudoError
from escudo.core.event_log import ERROR, log_event
from escudo.core.metrics import Metrics
from escudo.inputs.received import ReceivedSyslog
from escudo.inputs.receiver import Receipt, Receiver
from escudo.lake.labels import Labels
from escudo.serve.settings import ServerSettings
from escudo.serve.syslog.framing import Frames, FramingError

_READ_BYTES = 256 << 10
_UNCOMMITTED_BYTES = 16 << 20
"""Bytes of a connection that may wait for the lake before more is read."""
_BUSY_SECONDS = 0.2
_GATHER_SECONDS = 0.05
"""Seconds that datagrams are gathered before they are handed on together."""
_DATAGRAMS_BYTES = 4 << 20
_SOCKET_BYTES = 8 << 20
"""Bytes that the system is asked to keep of datagrams that were not read yet."""


@dataclass(frozen=True, slots=True)
class Listening:
    """The ports that are listened at: those asked for, or what the system gave for 0."""

    tcp: int | None = None
    udp: int | None = None
    tls: int | None = None


@contextmanager
def listen_for_syslog(
    settings: ServerSettings,
    receiver: Receiver,
    metrics: Metrics,
    *,
    labels: Labels,
) -> Iterator[Listening]:
    """Takes messages in, in a thread with a loop of its own, until the block ends.

    Raises:
        EscudoError: SRV006 where it cannot listen.
    """
    wanted = settings.syslog
    if wanted.tcp is None and wanted.udp is None and wanted.tls is None:
        yield Listening()
        return
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="escudo-syslog", daemon=True)
    thread.start()
    listener = _Listener(settings, receiver, metrics, labels)
    try:
        yield asyncio.run_coroutine_threadsafe(listener.start(), loop).result()
    finally:
        asyncio.run_coroutine_threadsafe(listener.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class _Listener:
    def __init__(
        self, settings: ServerSettings, receiver: Receiver, metrics: Metrics, labels: Labels
    ) -> None:
        self._settings = settings
        self._receiver = receiver
        self._metrics = metrics
        self._labels = labels
        self._servers: list[asyncio.Server] = []
        self._datagrams: list[_Datagrams] = []
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self) -> Listening:
        wanted, host = self._settings.syslog, self._settings.host
        tcp = udp = tls = None
        try:
            if wanted.tcp is not None:
                tcp = await self._listen(host, wanted.tcp, "syslog:tcp", None)
            if wanted.tls is not None:
                tls = await self._listen(host, wanted.tls, "syslog:tls", self._make_tls())
            if wanted.udp is not None:
                udp = await self._listen_for_datagrams(host, wanted.udp)
        except OSError as error:
            await self.stop()
            raise EscudoError("SRV006", f"syslog at {host}: {error.strerror or error}") from error
        return Listening(tcp, udp, tls)

    async def stop(self) -> None:
        """Listens no more; what has come is handed on, and what is under way is ended."""
        for server in self._servers:
            server.close()
        for datagrams in self._datagrams:
            datagrams.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _make_tls(self) -> ssl.SSLContext:
        assert self._settings.certificate is not None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # A sender that never reads, and closes, would have a ticket unread: its system then resets
        # the connection, and what is under way on it is lost.
        context.num_tickets = 0
        context.load_cert_chain(self._settings.certificate, self._settings.key)
        return context

    async def _listen(
        self, host: str, port: int, origin: str, context: ssl.SSLContext | None
    ) -> int:
        async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._connections.add(task)
            try:
                await self._read(reader, writer, origin)
            except (OSError, asyncio.CancelledError):
                pass
            finally:
                self._connections.discard(task)
                writer.close()

        server = await asyncio.start_server(meet, host, port, ssl=context, limit=_READ_BYTES)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def _read(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, origin: str
    ) -> None:
        peer = str((writer.get_extra_info("peername") or ("",))[0])
        frames = Frames()
        uncommitted: deque[tuple[ReceivedSyslog, Receipt]] = deque()
        while True:
            data = await reader.read(_READ_BYTES)
            try:
                messages = frames.add(data) if data else frames.end()
            except FramingError as error:
                self._metrics.rejected.inc()
                log_event("syslog refused", level=ERROR, peer=peer, error=str(error))
                return
            if messages:
                item = self._make(messages, peer, origin)
                uncommitted.append((item, await self._hand_on(item)))
            most = _UNCOMMITTED_BYTES if data else 0
            while uncommitted and sum(item.size for item, _ in uncommitted) > most:
                await self._settle(*uncommitted.popleft())
            if not data:
                return

    async def _settle(self, item: ReceivedSyslog, receipt: Receipt) -> None:
        """Waits until messages are in the lake; what could not be committed is tried again."""
        while True:
            try:
                await asyncio.wrap_future(receipt.done)
                return
            except EscudoError:
                await asyncio.sleep(_BUSY_SECONDS)
                receipt = await self._hand_on(item)

    async def _hand_on(self, item: ReceivedSyslog) -> Receipt:
        """Waits while too much waits."""
        while True:
            try:
                return self._receiver.accept(item)
            except EscudoError:
                await asyncio.sleep(_BUSY_SECONDS)

    def _make(self, messages: list[bytes], peer: str, origin: str) -> ReceivedSyslog:
        return ReceivedSyslog(
            messages=messages, peer=peer, origin=origin, received=time.time(), labels=self._labels
        )

    async def _listen_for_datagrams(self, host: str, port: int) -> int:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        made = socket.socket(family, socket.SOCK_DGRAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SOCKET_BYTES)
        made.bind((host, port))
        loop = asyncio.get_running_loop()
        datagrams = _Datagrams(loop, self._take_datagrams)
        await loop.create_datagram_endpoint(lambda: datagrams, sock=made)
        self._datagrams.append(datagrams)
        return int(made.getsockname()[1])

    def _take_datagrams(self, messages: list[bytes], peer: str) -> None:
        try:
            self._receiver.accept(self._make(messages, peer, "syslog:udp"))
        except EscudoError:
            log_event("syslog dropped", level=ERROR, peer=peer, messages=len(messages))


class _Datagrams(asyncio.DatagramProtocol):
    """Gathers datagrams for a moment, so that each is not handed on alone."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, take: Callable[[list[bytes], str], None]
    ) -> None:
        self._loop = loop
        self._take = take
        self._waiting: dict[str, list[bytes]] = {}
        self._bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        message = data.rstrip(b"\r\n\0")
        if not message:
            return
        self._waiting.setdefault(address[0], []).append(message)
        self._bytes += len(message)
        if self._bytes >= _DATAGRAMS_BYTES:
            self._flush()
        elif self._timer is None:
            self._timer = self._loop.call_later(_GATHER_SECONDS, self._flush)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
        self._flush()

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting, self._bytes = self._waiting, {}, 0
        for peer, messages in waiting.items():
            self._take(messages, peer)
