"""The OpenAPI description of Escudo's own routes; whoever is logged in may read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, FastAPI, Request

from escudo.serve.messages import Failure
from escudo.serve.permissions import Permission, asks

router = APIRouter(prefix="/api", tags=["description"])

FAILURES: Mapping[str, str] = {
    "400": "What was sent cannot be done",
    "401": "Nobody is logged in, or not rightly",
    "403": "The role has not the right to it, or the CSRF token is missing",
    "404": "There is no such thing",
    "409": "It goes against what is there",
    "422": "What was sent is not in the form that is described here",
    "429": "Too many log-ins have failed",
}
"""What every route may answer, by status."""

_REFERENCE = "#/components/schemas/{model}"


def describe(app: FastAPI) -> dict[str, Any]:
    """The description of an application's routes, with the failures that are the same of all."""
    described = app.openapi()
    schemas = described.setdefault("components", {}).setdefault("schemas", {})
    failure = Failure.model_json_schema(ref_template=_REFERENCE)
    schemas.update(failure.pop("$defs"), Failure=failure)
    content = {"application/json": {"schema": {"$ref": _REFERENCE.format(model="Failure")}}}
    for path in described["paths"].values():
        for operation in path.values():
            for status, text in FAILURES.items():
                operation["responses"][status] = {"description": text, "content": content}
    return described


@router.get("/openapi.json")
@asks(Permission.KNOWN)
def read_description(request: Request) -> dict[str, Any]:
    """All routes under ``/api``: what they take, and what they answer."""
    return describe(request.app)
