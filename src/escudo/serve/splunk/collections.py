"""``storage/collections``: the KV store's collections, and their rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from escudo.serve.kvstore import COLLECTION, Collections, select_rows
from escudo.serve.permissions import Permission
from escudo.serve.saved_searches import NOBODY
from escudo.serve.splunk.call import Call, make_routes
from escudo.serve.splunk.feeds import Entity, RefusalError, write_feed
from escudo.serve.splunk.system import write_entities


def list_routes() -> Iterator[Route]:
    search, write = Permission.SEARCH, Permission.SEARCH
    config = "storage/collections/config"
    listed = {"GET": list_collections, "POST": make_collection}
    yield from make_routes(config, search, listed)
    one = {"GET": read_collection, "POST": change_collection, "DELETE": remove_collection}
    yield from make_routes(f"{config}/{{name}}", search, one)
    data = "storage/collections/data/{collection}"
    rows = {"GET": list_rows, "POST": add_row, "DELETE": remove_rows}
    yield from make_routes(data, write, rows)
    yield from make_routes(f"{data}/batch_save", write, {"POST": save_batch})
    yield from make_routes(f"{data}/batch_find", search, {"POST": find_batch})
    one_row = {"GET": read_row, "POST": change_row, "DELETE": remove_row}
    yield from make_routes(f"{data}/{{key:path}}", write, one_row)


def list_collections(call: Call) -> Response:
    made = call.server.configuration.list(COLLECTION)
    entities = [_make_entity(s.name, dict(s.value), s.changed) for s in made]
    every = call.names.get("app", "-") == "-"
    shown = [e for e in entities if every or e.app == call.app]
    return write_entities(shown, call, "storage/collections/config")


def make_collection(call: Call) -> Response:
    call.require(Permission.WRITE)
    name = call.text("name")
    if not name or not name.replace("_", "").replace("-", "").isalnum() or len(name) > 100:
        raise RefusalError(400, f"{name!r} cannot name a collection")
    key = f"{call.app}/{name}"
    if call.server.configuration.find(COLLECTION, key) is not None:
        raise RefusalError(409, f"An object with name={name} already exists")
    made = call.server.configuration.put(COLLECTION, key, call.settings())
    return _show(_make_entity(key, dict(made.value), made.changed), call, status=201)


def read_collection(call: Call) -> Response:
    key = _find_collection(call, call.names["name"])
    known = call.server.configuration.find(COLLECTION, key)
    assert known is not None
    return _show(_make_entity(key, dict(known.value), known.changed), call)


def change_collection(call: Call) -> Response:
    call.require(Permission.WRITE)
    key = _find_collection(call, call.names["name"])
    known = call.server.configuration.find(COLLECTION, key)
    settings = {**(known.value if known is not None else {}), **call.settings()}
    call.server.configuration.put(COLLECTION, key, settings)
    return read_collection(call)


def remove_collection(call: Call) -> Response:
    """Takes a collection away, with its rows."""
    call.require(Permission.WRITE)
    key = _find_collection(call, call.names["name"])
    call.server.configuration.remove(COLLECTION, key)
    call.server.collections.remove(call.app, NOBODY, call.names["name"], None)
    return list_collections(call)


def _find_collection(call: Call, name: str) -> str:
    key = f"{call.app}/{name}"
    if call.server.configuration.find(COLLECTION, key) is None:
        raise RefusalError(404, f"Could not find object id={name}")
    return key


def _make_entity(key: str, settings: dict[str, Any], changed: float) -> Entity:
    app, _, name = key.rpartition("/")
    content = {"disabled": False, "replicate": False, "profilingEnabled": False, **settings}
    return Entity(
        path="storage/collections/config", name=name, content=content, app=app, updated=changed
    )


def _show(entity: Entity, call: Call, status: int = 200) -> Response:
    return write_feed(
        [entity],
        title="storage/collections/config",
        base=call.base,
        json=call.json,
        status=status,
    )


# rows


def list_rows(call: Call) -> Response:
    store, place = _find(call)
    return JSONResponse(
        select_rows(
            store.list(*place),
            query=_read_query(call.text("query")),
            fields=call.text("fields"),
            sort=call.text("sort"),
            skip=call.number("skip", 0, least=0),
            limit=call.number("limit", 0, least=0),
        )
    )


def add_row(call: Call) -> Response:
    call.require(Permission.WRITE)
    store, place = _find(call)
    row = _read_json(call)
    if not isinstance(row, dict):
        raise RefusalError(400, "a row is a JSON object")
    (key,) = store.put(*place, [row], new=True)
    return JSONResponse({"_key": key}, 201)


def remove_rows(call: Call) -> Response:
    call.require(Permission.WRITE)
    store, place = _find(call)
    query = _read_query(call.text("query"))
    if query is None:
        store.remove(*place, None)
    else:
        found = select_rows(store.list(*place), query=query)
        store.remove(*place, [row["_key"] for row in found])
    return JSONResponse({})


def save_batch(call: Call) -> Response:
    call.require(Permission.WRITE)
    store, place = _find(call)
    rows = _read_json(call)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RefusalError(400, "a batch is a JSON list of objects")
    return JSONResponse([*store.put(*place, rows)])


def find_batch(call: Call) -> Response:
    """What several queries find, each a list."""
    store, place = _find(call)
    asked = _read_json(call)
    if not isinstance(asked, list) or not all(isinstance(one, dict) for one in asked):
        raise RefusalError(400, "queries are a JSON list of objects")
    rows = store.list(*place)
    return JSONResponse(
        [
            select_rows(
                rows,
                query=one.get("query"),
                fields=str(one.get("fields", "")),
                sort=str(one.get("sort", "")),
                skip=_read_count(one, "skip"),
                limit=_read_count(one, "limit"),
            )
            for one in asked
        ]
    )


def _read_count(query: Mapping[str, Any], name: str) -> int:
    count = query.get(name, 0)
    if not isinstance(count, int) or count < 0:
        raise RefusalError(400, f"{name}: {count!r} is no whole number from 0 on")
    return count


def read_row(call: Call) -> Response:
    store, place = _find(call)
    return JSONResponse(store.find(*place, call.names["key"]))


def change_row(call: Call) -> Response:
    call.require(Permission.WRITE)
    store, place = _find(call)
    key = call.names["key"]
    store.find(*place, key)
    row = _read_json(call)
    if not isinstance(row, dict):
        raise RefusalError(400, "a row is a JSON object")
    store.put(*place, [{**row, "_key": key}])
    return JSONResponse({"_key": key})


def remove_row(call: Call) -> Response:
    call.require(Permission.WRITE)
    store, place = _find(call)
    store.find(*place, call.names["key"])
    store.remove(*place, [call.names["key"]])
    return JSONResponse({})


def _find(call: Call) -> tuple[Collections, tuple[str, str, str]]:
    """The store, and app, owner and name of the collection: rows are everybody's, as in Splunk
    under ``nobody``."""
    name = call.names["collection"]
    _find_collection(call, name)
    return call.server.collections, (call.app, NOBODY, name)


def _read_query(text: str) -> Any:
    if not text:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RefusalError(400, f"query is no JSON: {error}") from None


def _read_json(call: Call) -> Any:
    try:
        return json.loads(call.body)
    except (ValueError, RecursionError) as error:
        raise RefusalError(400, f"JSON in request only: {error}") from None
