"""A ``_bulk`` request -> its events, and the answer of each action; ``elastic_door`` calls it.

A body is lines: an action (``{"create": {"_index": "x"}}``), then the document. What Beats and
Agents send is kept as it was written; the readers of formats know Winlogbeat's documents.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

_WRITES = ("create", "index")
_MOST_ACTIONS = 100_000


class BulkError(Exception):
    """A body that is no bulk request: nothing of it is taken."""


@dataclass
class Bulk:
    """The documents that are to be kept, each with the index that it is for, and the answer of
    every action."""

    texts: list[str] = field(default_factory=list)
    indexes: list[str] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=list)
    errors: bool = False

    def answer(self, took: int) -> dict[str, Any]:
        """The response's body; ``took`` is in milliseconds."""
        return {"took": took, "errors": self.errors, "items": self.items}


def read_bulk(body: bytes, index: str | None) -> Bulk:
    r"""The actions of a body.

    Args:
        index: that of the request's path, for actions that name none.

    >>> bulk = read_bulk(b'{"create":{}}\n{"a":1}\n{"delete":{"_id":"7"}}\n', "logs")
    >>> bulk.texts, bulk.indexes, [(*item,) for item in bulk.items], bulk.errors
    (['{"a":1}'], ['logs'], [('create',), ('delete',)], True)

    Raises:
        BulkError: what is wrong with it.
    """
    bulk = Bulk()
    lines = iter(line for line in body.split(b"\n") if line.strip())
    for line in lines:
        action, target = _read_action(line)
        named = target.get("_index") or index
        if not named:
            raise BulkError("an action names no index, and the path has none")
        if len(bulk.items) >= _MOST_ACTIONS:
            raise BulkError(f"more than {_MOST_ACTIONS:,} actions")
        identity = str(target.get("_id") or uuid.uuid4().hex)
        told: dict[str, Any] = {"_index": str(named), "_id": identity}
        bulk.items.append({action: told})
        if action == "delete":
            _refuse(bulk, told, "action_not_supported", "documents are not deleted here")
            continue
        document = _next_document(lines)
        if action not in _WRITES:
            _refuse(bulk, told, "action_not_supported", "documents are not changed here")
            continue
        try:
            whole = isinstance(orjson.loads(document), dict)
            text = document.decode()
        except (orjson.JSONDecodeError, UnicodeDecodeError):
            whole, text = False, ""
        if not whole:
            _refuse(bulk, told, "document_parsing_exception", "the document is no JSON object")
            continue
        bulk.texts.append(text)
        bulk.indexes.append(str(named))
        told |= {"_version": 1, "result": "created", "status": 201, "_seq_no": 0}
        told |= {"_primary_term": 1, "_shards": {"total": 1, "successful": 1, "failed": 0}}
    if not bulk.items:
        raise BulkError("request body is required")
    return bulk


def _read_action(line: bytes) -> tuple[str, dict[str, Any]]:
    try:
        action = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise BulkError(f"an action that is no JSON: {error}") from None
    if isinstance(action, dict) and len(action) == 1:
        ((name, target),) = action.items()
        if name in (*_WRITES, "update", "delete") and isinstance(target, dict):
            return name, target
    raise BulkError("an action that is not create, index, update or delete")


def _next_document(lines: Iterator[bytes]) -> bytes:
    try:
        return next(lines)
    except StopIteration:
        raise BulkError("the last action has no document") from None


def _refuse(bulk: Bulk, told: dict[str, Any], kind: str, reason: str) -> None:
    bulk.errors = True
    told |= {"status": 400, "error": {"type": kind, "reason": reason}}
