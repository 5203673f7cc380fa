"""Log-in, and what clients ask of the server itself: its version, messages, apps, roles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from starlette.responses import Response
from starlette.routing import Route

from escudo import __version__
from escudo.serve.permissions import ROLES, Permission
from escudo.serve.splunk.call import Call, make_routes
from escudo.serve.splunk.feeds import (
    VERSION,
    Entity,
    RefusalError,
    write_feed,
    write_messages,
    write_response,
)

_APPS = ("search", "splunk_httpinput", "Splunk_SA_CIM", "SplunkEnterpriseSecuritySuite")
"""Apps whose work Escudo does itself: search, HEC, the data models, risk and findings."""


def list_routes() -> Iterator[Route]:
    anybody, known = Permission.ANYBODY, Permission.KNOWN
    yield from make_routes("auth/login", anybody, {"POST": log_in})
    yield from make_routes("server/info", known, {"GET": tell_server})
    yield from make_routes("server/info/server-info", known, {"GET": tell_server})
    yield from make_routes("messages", known, {"GET": tell_messages})
    yield from make_routes("authentication/current-context", known, {"GET": tell_user})
    yield from make_routes("apps/local", known, {"GET": list_apps})
    yield from make_routes("apps/local/{name}", known, {"GET": read_app})
    roles = {"GET": list_roles}
    yield from make_routes("authorization/roles", known, roles)
    yield from make_routes(
        "authorization/roles/{name}", known, {"GET": read_role, "POST": keep_role}
    )
    refused = {"GET": refuse_passwords, "POST": refuse_passwords}
    yield from make_routes("storage/passwords", known, refused)


def log_in(call: Call) -> Response:
    """A session's key for a name and a password; with ``cookie=1`` also as a cookie."""
    accounts, name = call.server.accounts, call.text("username")
    user = accounts.check_password(name, call.text("password"), call.address)
    if user is None:
        return write_messages(401, "Login failed", json=call.json, kind="WARN")
    if user.must_change:
        raise RefusalError(403, "the first password is to be changed at /password")
    secret, _ = accounts.sessions.open(user.name, kind="rest")
    accounts.audit.note("login", who=user.name, address=call.address, kind="rest", by="password")
    answer = write_response({"sessionKey": secret, "message": "", "code": ""}, json=call.json)
    if call.truth("cookie"):
        answer.set_cookie(
            f"splunkd_{call.server.settings.port}",
            secret,
            httponly=True,
            samesite="strict",
            secure=call.server.settings.encrypted,
        )
    return answer


def tell_server(call: Call) -> Response:
    content = {
        "version": VERSION,
        "build": __version__,
        "serverName": "escudo",
        "product_type": "escudo",
        "guid": "00000000-0000-0000-0000-000000000000",
        "isFree": False,
        "isTrial": False,
        "mode": "normal",
        "os_name": "Linux",
        "server_roles": ["indexer", "search_head"],
        "kvStoreStatus": "ready",
    }
    info = Entity(path="server/info", name="server-info", content=content, app="system")
    return write_entities([info], call, "server/info")


def tell_messages(call: Call) -> Response:
    """No message is ever there; one entry says so, since clients want one."""
    content = {"message": "all is well", "severity": "info"}
    return write_entities(
        [Entity(path="messages", name="escudo", content=content)], call, "messages"
    )


def tell_user(call: Call) -> Response:
    rights = [p.value for p in Permission if call.who.may(p)]
    content = {"username": call.who.name, "roles": [*call.who.roles], "capabilities": rights}
    context = Entity(
        path="authentication/current-context", name=call.who.name, content=content, app="system"
    )
    return write_entities([context], call, "authentication/current-context")


def list_apps(call: Call) -> Response:
    return write_entities([_make_app(name) for name in _APPS], call, "apps/local")


def read_app(call: Call) -> Response:
    name = call.names["name"]
    if name not in _APPS:
        raise RefusalError(404, f"Could not find object id={name}")
    return write_entities([_make_app(name)], call, "apps/local")


def _make_app(name: str) -> Entity:
    content = {"label": name, "version": VERSION, "disabled": False, "visible": True}
    return Entity(path="apps/local", name=name, content=content, app="system", writable=False)


def list_roles(call: Call) -> Response:
    return write_entities([_make_role(name) for name in ROLES], call, "authorization/roles")


def read_role(call: Call) -> Response:
    return _show_role(call)


def _show_role(call: Call, warnings: Sequence[str] = ()) -> Response:
    name = call.names["name"]
    if name not in ROLES:
        raise RefusalError(404, f"Could not find object id={name}")
    return write_entities([_make_role(name)], call, "authorization/roles", warnings)


def keep_role(call: Call) -> Response:
    """What Splunk's roles may search is not kept: Escudo's roles are what they are. Clients that
    give a role more indexes, since in Splunk it would not have them, are told so, and go on."""
    call.require(Permission.ADMINISTER)
    warnings = ("nothing was changed: roles are Escudo's own",) if call.settings() else ()
    return _show_role(call, warnings)


def _make_role(name: str) -> Entity:
    content = {
        "capabilities": sorted(p.value for p in ROLES[name]),
        "imported_roles": [],
        "srchIndexesAllowed": ["*"],
        "srchIndexesDefault": ["*"],
    }
    return Entity(path="authorization/roles", name=name, content=content, app="system")


def refuse_passwords(call: Call) -> Response:
    raise RefusalError(501, "Escudo keeps no passwords of others: give them to what needs them")


def write_entities(
    entities: list[Entity], call: Call, title: str, warnings: Sequence[str] = ()
) -> Response:
    return write_feed(
        entities,
        title=title,
        base=call.base,
        json=call.json,
        offset=call.number("offset", 0, least=0),
        count=call.number("count", 0),
        warnings=warnings,
    )
