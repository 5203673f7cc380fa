"""Indexes, inputs of HEC, stanzas of conf files: what clients list and make."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import unquote

import pyarrow.compute as pc
import pyarrow.parquet as pq
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from escudo.core.timerange import ALL_TIME
from escudo.serve.accounts.administration import Administration
from escudo.serve.accounts.tokens import HEC, Token
from escudo.serve.permissions import Permission
from escudo.serve.splunk.call import Call, make_routes
from escudo.serve.splunk.feeds import Entity, RefusalError, write_feed
from escudo.serve.splunk.system import write_entities
from escudo.storage import open_file

INDEX = "index"
"""The kind of setting that an index is."""

_INDEX_NAME = re.compile(r"_?[a-z0-9][a-z0-9_-]{0,79}\Z")
_MADE = ("main", "risk", "notable", "summary")
"""Indexes that are always there."""

_INPUT = "http://"
"""How the names of HEC's inputs begin."""


def list_routes() -> Iterator[Route]:
    known, administer = Permission.KNOWN, Permission.ADMINISTER
    indexes = {"GET": list_indexes, "POST": make_index}
    yield from make_routes("data/indexes", known, indexes)
    one_index = {"GET": read_index, "POST": change_index, "DELETE": remove_index}
    yield from make_routes("data/indexes/{name}", known, one_index)
    yield from make_routes("data/inputs/http", administer, {"GET": list_inputs, "POST": make_input})
    one_input = {"GET": read_input, "POST": change_input, "DELETE": remove_input}
    yield from make_routes("data/inputs/http/{name:path}", administer, one_input)
    yield from make_routes(
        "properties/{file}/{stanza}/{key}", known, {"GET": read_key, "POST": put_key}
    )
    yield from make_routes(
        "properties/{file}/{stanza}", known, {"GET": read_keys, "POST": put_keys}
    )
    yield from make_routes("properties", known, {"GET": list_files})
    stanzas = {"GET": list_stanzas, "POST": make_stanza}
    yield from make_routes("configs/conf-{file}", known, stanzas)
    one_stanza = {"GET": read_stanza, "POST": change_stanza, "DELETE": remove_stanza}
    yield from make_routes("configs/conf-{file}/{stanza:path}", known, one_stanza)


# indexes


def list_indexes(call: Call) -> Response:
    """Those that were made, and those that events are of."""
    names = {*_MADE, *(s.name for s in call.server.configuration.list(INDEX)), *_find_used(call)}
    seen = sorted(name for name in names if call.who.sees(name))
    return write_entities([_make_index(name, call) for name in seen], call, "data/indexes")


def make_index(call: Call) -> Response:
    call.require(Permission.ADMINISTER)
    name = call.text("name")
    if not _INDEX_NAME.match(name):
        raise RefusalError(400, f"{name!r} cannot name an index: a-z, 0-9, _ and -, 80 at most")
    if name in _MADE or call.server.configuration.find(INDEX, name) is not None:
        raise RefusalError(409, f"Index name={name} already exists")
    call.server.configuration.put(INDEX, name, call.settings())
    warnings = _UNUSED if call.settings() else ()
    return _show([_make_index(name, call)], call, "data/indexes", status=201, warnings=warnings)


def read_index(call: Call) -> Response:
    return write_entities([_make_index(_find_index(call), call)], call, "data/indexes")


def change_index(call: Call) -> Response:
    call.require(Permission.ADMINISTER)
    name = _find_index(call)
    known = call.server.configuration.find(INDEX, name)
    settings = {**(known.value if known is not None else {}), **call.settings()}
    call.server.configuration.put(INDEX, name, settings)
    return _show([_make_index(name, call)], call, "data/indexes", warnings=_UNUSED)


def remove_index(call: Call) -> Response:
    """Forgets the index; its events stay, until they are deleted."""
    call.require(Permission.ADMINISTER)
    name = _find_index(call)
    if not call.server.configuration.remove(INDEX, name):
        raise RefusalError(400, f"index {name} cannot be removed")
    return write_entities([], call, "data/indexes")


def _find_index(call: Call) -> str:
    name = call.names["name"]
    made = name in _MADE or call.server.configuration.find(INDEX, name) is not None
    if not call.who.sees(name) or not (made or name in _find_used(call)):
        raise RefusalError(404, f"Could not find object id={name}")
    return name


def _find_used(call: Call) -> set[str]:
    """The indexes that the lake's newest events are of: their names, from one file a table."""
    snapshot = call.server.lake.snapshot()
    names: set[str] = set()
    for schema in snapshot.raw_tables():
        for path in snapshot.files(schema.table, ALL_TIME)[-1:]:
            column = pq.read_table(open_file(path), columns=["index"])["index"]
            names.update(pc.unique(column.drop_null()).to_pylist())
    return names


def _make_index(name: str, call: Call) -> Entity:
    made = call.server.configuration.find(INDEX, name)
    content = {
        "datatype": "event",
        "disabled": False,
        "totalEventCount": 0,
        "currentDBSizeMB": 0,
        "frozenTimePeriodInSecs": 0,
        "maxTotalDataSizeMB": 0,
        "isInternal": name.startswith("_"),
        **(made.value if made is not None else {}),
    }
    updated = made.changed if made is not None else 0.0
    return Entity(path="data/indexes", name=name, content=content, updated=updated)


# inputs of HEC


def list_inputs(call: Call) -> Response:
    tokens = call.server.accounts.tokens.list(HEC)
    return write_entities([*map(_make_input_entity, tokens)], call, "data/inputs/http")


def make_input(call: Call) -> Response:
    name = call.text("name").removeprefix(_INPUT)
    if not name:
        raise RefusalError(400, "name: an input has a name")
    if any(token.name == name for token in call.server.accounts.tokens.list(HEC)):
        raise RefusalError(409, f"An object with name={_INPUT}{name} already exists")
    _, made = _administer(call).add_token(name, kind=HEC, settings=_read_input(call))
    return _show([_make_input_entity(made)], call, "data/inputs/http", status=201)


def read_input(call: Call) -> Response:
    name, _, action = _split_input(call)
    if action:
        raise RefusalError(405, f"{action} is asked for by POST")
    return write_entities([_make_input_entity(_find_input(name, call))], call, "data/inputs/http")


def change_input(call: Call) -> Response:
    name, _, action = _split_input(call)
    number = _find_input(name, call).id
    if action:
        _administer(call).change_token(number, disabled=action == "disable")
    else:
        _administer(call).change_token(number, settings=_read_input(call))
    return write_entities([_make_input_entity(_find_input(name, call))], call, "data/inputs/http")


def remove_input(call: Call) -> Response:
    name, _, _ = _split_input(call)
    _administer(call).remove_token(_find_input(name, call).id)
    return list_inputs(call)


def _administer(call: Call) -> Administration:
    return Administration(call.server.accounts, call.who.name, call.address)


def _split_input(call: Call) -> tuple[str, str, str]:
    """The name of an input, which clients encode once or twice, and what is to be done with it."""
    text = unquote(unquote(call.names["name"]))
    for action in ("/enable", "/disable"):
        if text.endswith(action):
            return text.removesuffix(action).removeprefix(_INPUT), "/", action[1:]
    return text.removeprefix(_INPUT), "", ""


def _find_input(name: str, call: Call) -> Token:
    for token in call.server.accounts.tokens.list(HEC):
        if token.name == name:
            return token
    raise RefusalError(404, f"Could not find object id={_INPUT}{name}")


def _read_input(call: Call) -> dict[str, object]:
    settings: dict[str, object] = {
        key: call.text(key) for key in ("index", "source", "sourcetype", "host") if call.text(key)
    }
    if "indexes" in call.fields:
        listed = re.split(r"[,\s]+", ",".join(call.fields["indexes"]))
        settings["indexes"] = sorted({index for index in listed if index})
    if "useACK" in call.fields:
        settings["useACK"] = call.truth("useACK")
    return settings


def _make_input_entity(token: Token) -> Entity:
    content = {
        "token": token.secret or "",
        "disabled": token.disabled is not None,
        "index": token.settings.get("index", "main"),
        "indexes": [*token.indexes],
        "source": token.settings.get("source", ""),
        "sourcetype": token.settings.get("sourcetype", ""),
        "host": token.settings.get("host", ""),
        "useACK": bool(token.settings.get("useACK", False)),
    }
    return Entity(
        path="data/inputs/http",
        name=f"{_INPUT}{token.name}",
        content=content,
        owner="nobody",
        app="splunk_httpinput",
        updated=token.created,
    )


# conf files

_UNUSED = ("it is kept and shown; Escudo does not go by it",)


def list_files(call: Call) -> Response:
    return write_entities([], call, "properties")


def list_stanzas(call: Call) -> Response:
    file = call.names["file"]
    stanzas = call.server.configuration.list(f"conf-{file}")
    entities = [_make_stanza(file, s.name, dict(s.value), call) for s in stanzas]
    return write_entities(entities, call, f"configs/conf-{file}")


def make_stanza(call: Call) -> Response:
    call.require(Permission.ADMINISTER)
    file, name = call.names["file"], call.text("name")
    if not name:
        raise RefusalError(400, "name: a stanza has a name")
    if call.server.configuration.find(f"conf-{file}", name) is not None:
        raise RefusalError(409, f"An object with name={name} already exists")
    settings = call.settings()
    call.server.configuration.put(f"conf-{file}", name, settings)
    entity = _make_stanza(file, name, settings, call)
    return _show([entity], call, f"configs/conf-{file}", status=201, warnings=_UNUSED)


def read_stanza(call: Call) -> Response:
    file, name = call.names["file"], call.names["stanza"]
    return _show([_make_stanza(file, name, _find_stanza(call), call)], call, f"configs/conf-{file}")


def change_stanza(call: Call) -> Response:
    call.require(Permission.ADMINISTER)
    file, name = call.names["file"], call.names["stanza"]
    settings = {**_find_stanza(call), **call.settings()}
    call.server.configuration.put(f"conf-{file}", name, settings)
    entity = _make_stanza(file, name, settings, call)
    return _show([entity], call, f"configs/conf-{file}", warnings=_UNUSED)


def remove_stanza(call: Call) -> Response:
    call.require(Permission.ADMINISTER)
    _find_stanza(call)
    call.server.configuration.remove(f"conf-{call.names['file']}", call.names["stanza"])
    return list_stanzas(call)


def _find_stanza(call: Call) -> dict[str, str]:
    known = call.server.configuration.find(f"conf-{call.names['file']}", call.names["stanza"])
    if known is None:
        raise RefusalError(404, f"Could not find object id={call.names['stanza']}")
    return {key: str(value) for key, value in known.value.items()}


def _make_stanza(file: str, name: str, settings: dict[str, str], call: Call) -> Entity:
    content = {"disabled": False, **settings}
    return Entity(
        path=f"configs/conf-{file}", name=name, content=content, owner="nobody", app=call.app
    )


def read_keys(call: Call) -> Response:
    file, name = call.names["file"], call.names["stanza"]
    known = call.server.configuration.find(f"conf-{file}", name)
    if known is None:
        raise RefusalError(404, f"{name} does not exist")
    return _show([_make_stanza(file, name, dict(known.value), call)], call, f"properties/{file}")


def put_keys(call: Call) -> Response:
    return _put(call, call.settings())


def read_key(call: Call) -> Response:
    known = call.server.configuration.find(f"conf-{call.names['file']}", call.names["stanza"])
    if known is None or call.names["key"] not in known.value:
        raise RefusalError(404, f"{call.names['key']} does not exist")
    return PlainTextResponse(str(known.value[call.names["key"]]))


def put_key(call: Call) -> Response:
    return _put(call, {call.names["key"]: call.text("value")})


def _put(call: Call, settings: dict[str, str]) -> Response:
    """Keeps keys of a stanza, which is made."""
    call.require(Permission.ADMINISTER)
    kind, name = f"conf-{call.names['file']}", call.names["stanza"]
    known = call.server.configuration.find(kind, name)
    merged = {**(known.value if known is not None else {}), **settings}
    call.server.configuration.put(kind, name, merged)
    return _show([], call, f"properties/{call.names['file']}/{name}", warnings=_UNUSED)


def _show(
    entities: list[Entity],
    call: Call,
    title: str,
    *,
    status: int = 200,
    warnings: Sequence[str] = (),
) -> Response:
    return write_feed(
        entities, title=title, base=call.base, json=call.json, status=status, warnings=warnings
    )
