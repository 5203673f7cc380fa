"""The OpenAPI description against the server that it describes: schemathesis asks every route for
what it says it takes, and for what it does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from tests.serve.conftest import make_users
from tests.serve.running import PASSWORD, RunningServer, run_server

pytestmark = pytest.mark.slow

NOT_HELD = [positive_data_acceptance, ignored_auth]
"""A body may be right in form and name what is not there. The permission matrix has rights."""

EXAMPLES = 6
"""Requests of each route and mode."""

LEFT_OUT = frozenset({("POST", "/api/login"), ("POST", "/api/password"), ("POST", "/api/logout")})
"""Routes that would end the session or lock out who asks; other tests have them."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server of its own: what is made here may be taken away by the next request."""
    lake = tmp_path_factory.mktemp("described") / "lake"
    with run_server(lake, ["--no-schedule"]) as running:
        make_users(lake)
        yield running


def can_be_wrong(operation: Mapping[str, Any]) -> bool:
    """Whether what an operation takes has a form that something else is not of: a text is anything
    in a path."""
    bounded = [p for p in operation.get("parameters", ()) if p["schema"].get("type") != "string"]
    return "requestBody" in operation or bool(bounded)


def test_who_is_logged_in_reads_it(server: RunningServer) -> None:
    assert httpx.get(f"{server.url}/api/openapi.json").status_code == 401
    with server.client("viewer") as client:
        described = client.get("/api/openapi.json").json()
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            assert operation.get("description"), (method, path)
            assert "429" in operation["responses"], (method, path)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_route_answers_as_it_is_described(
    server: RunningServer, mode: GenerationMode
) -> None:
    with server.client() as admin:
        described = admin.get("/api/openapi.json").json()
    schema = schemathesis.openapi.from_dict(described)
    schema.config.update(base_url=server.url)
    asked = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        if (operation.method.upper(), operation.path) in LEFT_OUT:
            continue
        if mode is GenerationMode.NEGATIVE and not can_be_wrong(operation.definition.raw):
            continue

        @seed(17)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: schemathesis.Case) -> None:
            nonlocal asked
            asked += 1
            case.call_and_validate(auth=("admin", PASSWORD), excluded_checks=NOT_HELD)

        ask()
    assert asked > 40
