"""The server's routes -> the page that says which role each answers; called by ``docs.build``."""

from __future__ import annotations

import re
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from docs.markdown import GENERATED, code, page, table
from tests.serve.in_process import open_app

from escudo.serve.permissions import ROLES, Permission
from escudo.serve.route_table import GuardedRoute, list_guarded


def permissions() -> str:
    """Roles with their rights, and routes with the right that each asks for."""
    with tempfile.TemporaryDirectory() as folder, open_app(Path(folder)) as (app, _server):
        routes = list(list_guarded(app.inner.routes))
    out = [
        "# Who may ask the server for what",
        "",
        GENERATED,
        "",
        "Each route asks for one right, and a role has some. A route that says nothing stops the",
        "start of the server. `tests/serve/test_permission_matrix.py` asks every route as every",
        "role, and as nobody; [security.md](security.md) says what else stands before a route.",
        "",
        "## Roles",
        "",
        *table(
            ("right", *ROLES),
            (
                (code(right.value), *("yes" if right in ROLES[role] else "" for role in ROLES))
                for right in Permission
                if right is not Permission.ANYBODY
            ),
        ),
        "",
        "## Routes",
        "",
        "`anybody` needs no log-in: the log-in itself, what programs ask before it, and doors of",
        "senders, which ask for a token of HEC.",
        "",
        "What Splunk's clients ask under `/servicesNS/OWNER/APP`, with a slash at the end, or",
        "shippers of Elastic under `/elastic`, asks for the same.",
        "",
        *table(
            ("path", "methods", "right", *ROLES),
            (
                (
                    code(path),
                    ", ".join(route.method for route in same),
                    same[0].permission.value,
                    *("yes" if role in same[0].roles else "" for role in ROLES),
                )
                for path, _, same in _group(routes)
            ),
        ),
    ]
    return page(out)


_PREFIX = re.compile(r"^(/servicesNS/\{owner\}/\{app\}|/elastic)(?=/.)")


def _group(routes: Iterable[GuardedRoute]) -> Iterator[tuple[str, Permission, list[GuardedRoute]]]:
    """Routes of the same path that ask for the same right; what is only another form of a path that
    is there is left out.

    Raises:
        ValueError: another form of a path asks for another right.
    """
    by_path: defaultdict[tuple[str, str], list[GuardedRoute]] = defaultdict(list)
    rights = {(route.method, route.path): route.permission for route in routes}
    for route in routes:
        plain = _PREFIX.sub(
            lambda found: "/services" if found[1].startswith("/services") else "", route.path
        )
        plain = plain.rstrip("/") or "/"
        known = rights.get((route.method, plain))
        if plain == route.path or known is None:
            by_path[route.path, route.permission.value].append(route)
        elif known is not route.permission:
            raise ValueError(f"{route.path} asks for {route.permission}, {plain} for {known}")
    for (path, _), same in sorted(by_path.items()):
        yield path, same[0].permission, sorted(same, key=lambda route: route.method)
