"""A template, values -> a page; every page is made by it.

Whatever is put into a template is escaped. A page has no script and no style inside it, which its
content security policy would not run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from escudo.core.errors import EscudoError
from escudo.serve.accounts.principal import Principal
from escudo.serve.pages.navigation import list_places
from escudo.serve.permissions import Permission

STATIC = Path(__file__).parent / "static"
"""What ``make web`` builds."""

THEME_COOKIE = "escudo_theme"
_THEMES = ("light", "dark")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def render(request: Request, template: str, /, *, status: int = 200, **values: Any) -> Response:
    """A page, from ``templates/``.

    A template also has ``who`` (the principal, or None), ``places`` (the navigation), ``served``
    (the paths that there are), ``csrf``, ``theme``, ``path`` (of the request), ``now`` (epoch
    seconds), ``zone`` and ``may("triage")``.

    Raises:
        EscudoError: SRV050 where the scripts and styles have not been built.
    """
    who: Principal | None = request.scope.get("principal")
    server = request.app.state.server
    chosen = request.cookies.get(THEME_COOKIE)

    served = _list_paths(request)

    def may(right: str) -> bool:
        return who is not None and who.may(Permission(right))

    text = (
        _environment()
        .get_template(template)
        .render(
            who=who,
            places=tuple(list_places(who, served)),
            served=served,
            csrf=who.csrf if who is not None and who.csrf is not None else "",
            theme=chosen if chosen in _THEMES else "",
            path=request.url.path,
            now=server.clock.now(),
            zone=server.settings.zone,
            may=may,
            **values,
        )
    )
    return HTMLResponse(text, status)


def _list_paths(request: Request) -> frozenset[str]:
    return frozenset(
        path for route in request.app.router.routes if (path := getattr(route, "path", None))
    )


@cache
def _environment() -> Environment:
    """The templates. Undefined names are errors, so no page is empty where it has a fault."""
    environment = Environment(
        loader=PackageLoader("escudo.serve.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = find_asset
    environment.filters.update(
        age=tell_age,
        moment=tell_moment,
        iso=tell_iso,
        count=tell_count,
        code_spans=mark_code,
        part=lambda text: quote(str(text), safe=""),
        props=lambda value: json.dumps(value, separators=(",", ":")),
    )
    return environment


@cache
def read_manifest() -> Mapping[str, str]:
    """The built files by their names: ``main.js`` -> ``main-HASH.js``.

    Raises:
        EscudoError: SRV050 where nothing has been built.
    """
    try:
        manifest: dict[str, str] = json.loads((STATIC / "manifest.json").read_text())
    except FileNotFoundError as error:
        raise EscudoError("SRV050", f"there is no {STATIC / 'manifest.json'}") from error
    return manifest


def find_asset(name: str) -> str:
    """The address of a built file. Raises EscudoError: SRV050."""
    return f"/static/{read_manifest()[name]}"


def tell_age(seconds: float) -> str:
    """How long something is, or was ago, in its two largest units.

    >>> [tell_age(s) for s in (5, 150, 7260, 90000, 864000)]
    ['5 s', '2 min', '2 h 1 min', '1 d 1 h', '10 d']
    """
    whole = max(0, int(seconds))
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min"
    if whole < _DAY:
        minutes = whole % _HOUR // _MINUTE
        return f"{whole // _HOUR} h" + (f" {minutes} min" if minutes else "")
    hours = whole % _DAY // _HOUR
    return f"{whole // _DAY} d" + (f" {hours} h" if hours and whole < 10 * _DAY else "")


def tell_moment(seconds: float | None, zone: tzinfo = UTC) -> str:
    """A time to the second, in a zone.

    >>> tell_moment(0.5)
    '1970-01-01 00:00:00'
    """
    if seconds is None:
        return ""
    return datetime.fromtimestamp(seconds, zone).strftime("%Y-%m-%d %H:%M:%S")


def tell_iso(seconds: float) -> str:
    """A time for machines (``<time datetime>``).

    >>> tell_iso(0)
    '1970-01-01T00:00:00+00:00'
    """
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def mark_code(text: str) -> Markup:
    """Text of content as HTML: what is between backticks is code, all of it is escaped.

    >>> str(mark_code("Runs `a<b>`, alone."))
    'Runs <code>a&lt;b&gt;</code>, alone.'
    """
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    shown = (
        Markup("<code>{}</code>").format(p) if i % 2 else escape(p) for i, p in enumerate(parts)
    )
    return Markup("").join(shown)


def tell_count(number: float) -> str:
    """A number with its thousands apart.

    >>> tell_count(12345), tell_count(2.0)
    ('12,345', '2')
    """
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:,.1f}"
