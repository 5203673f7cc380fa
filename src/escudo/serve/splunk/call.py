"""A request in Splunk's form -> what a route reads of it; every route of this package is made here.

Parameters come in the query and in a form, which clients also send without a content type. A form
that names a field twice means several values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from escudo.core.errors import EscudoError
from escudo.serve.accounts.principal import Principal
from escudo.serve.permissions import Permission, asks
from escudo.serve.searches.job import Job
from escudo.serve.searches.waiting import wait_for
from escudo.serve.server import Server
from escudo.serve.splunk.feeds import RefusalError, write_messages
from escudo.serve.splunk.paths import SLASH

TRUE = ("1", "true", "t", "yes")
"""How clients write that something is so."""

PREFIXES = ("/services", "/servicesNS/{owner}/{app}")


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request. ``fields`` are its parameters, each with all its values; ``body`` is what it
    brought, as it came."""

    server: Server
    who: Principal
    method: str
    path: str
    names: Mapping[str, str]
    fields: Mapping[str, Sequence[str]]
    body: bytes
    address: str

    def text(self, name: str, default: str = "") -> str:
        """The first value of a parameter."""
        return self.fields.get(name, (default,))[0]

    def number(self, name: str, default: int, *, least: int | None = None) -> int:
        """A parameter that is a whole number, ``least`` or more. Raises RefusalError (400) for
        another one."""
        given = self.text(name)
        try:
            number = int(given) if given else default
        except ValueError:
            raise RefusalError(400, f"{name}: {given[:80]!r} is no whole number") from None
        if least is not None and number < least:
            raise RefusalError(400, f"{name}: {number} is less than {least}")
        return number

    def truth(self, name: str, *, default: bool = False) -> bool:
        given = self.text(name).lower()
        return given in TRUE if given else default

    @property
    def json(self) -> bool:
        return self.text("output_mode") == "json"

    @property
    def owner(self) -> str:
        """Whose namespace is meant: the user's own unless the path says."""
        owner = self.names.get("owner", "-")
        return self.who.name if owner == "-" else owner

    @property
    def app(self) -> str:
        app = self.names.get("app", "-")
        return "search" if app == "-" else app

    @property
    def base(self) -> str:
        """The beginning of addresses of entities without a namespace."""
        return self.server.settings.url

    def require(self, permission: Permission) -> None:
        """Raises RefusalError (403) where the user has not the right."""
        if not self.who.may(permission):
            raise RefusalError(403, f"this needs the right to {permission.value}")

    def settings(self, *leave_out: str) -> dict[str, str]:
        """The parameters that are settings of an entity."""
        apart = {"output_mode", "count", "offset", "name", *leave_out}
        return {n: values[-1] for n, values in self.fields.items() if n not in apart}


@dataclass(frozen=True, slots=True)
class Later:
    """An answer that waits for a job to end; nobody's thread waits with it."""

    job: Job
    finish: Callable[[], Response]


Endpoint: TypeAlias = Callable[[Call], Response | Later]


def make_routes(
    path: str, permission: Permission, methods: Mapping[str, Endpoint]
) -> Iterator[Route]:
    """The routes of a path, in both namespaces, with and without a slash at the end."""

    async def respond(request: Request) -> Response:
        call = await _read(request)
        try:
            answer = await run_in_threadpool(methods[_method(request)], call)
            if isinstance(answer, Later):
                await wait_for(answer.job)
                answer = await run_in_threadpool(answer.finish)
            return answer
        except RefusalError as refusal:
            return write_messages(refusal.status, refusal.text, json=call.json)
        except EscudoError as error:
            status = _STATUS.get(error.code, 400)
            return write_messages(status, _tell(error), json=call.json)

    endpoint = asks(permission)(respond)
    allowed = sorted(methods)
    for prefix in PREFIXES:
        yield Route(f"{prefix}/{path}", endpoint, methods=allowed)
        yield Route(f"{prefix}/{path}/", endpoint, methods=allowed)


_STATUS = {"SRV030": 404, "SRV031": 503, "SRV038": 404, "SRV040": 403, "SRV041": 404}


def _method(request: Request) -> str:
    return "GET" if request.method == "HEAD" else request.method


def _tell(error: EscudoError) -> str:
    told = error.diagnostic
    help_text = f" ({told.hint})" if told.hint else ""
    return f"{told.code}: {told.message}{help_text}"


async def _read(request: Request) -> Call:
    server: Server = request.app.state.server
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > server.settings.most_body:
            raise EscudoError(
                "SRV042", f"a request brings {server.settings.most_body:,} bytes at most"
            )
    pairs = [*request.query_params.multi_items()]
    kind = request.headers.get("content-type", "")
    if body and not kind.startswith(("application/json", "multipart/")):
        pairs += parse_qsl(body.decode(errors="replace"), keep_blank_values=True)
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return Call(
        server=server,
        who=request.scope["principal"],
        method=request.method,
        path=request.url.path,
        names={n: str(v).replace(SLASH, "/") for n, v in request.path_params.items()},
        fields=fields,
        body=body,
        address=request.client.host if request.client is not None else "",
    )
