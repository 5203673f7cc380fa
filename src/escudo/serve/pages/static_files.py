"""The scripts and styles of pages, as ``make web`` has built them."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from escudo.serve.pages.rendering import STATIC
from escudo.serve.permissions import Permission, asks

_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}
_FOR_A_YEAR = "public, max-age=31536000, immutable"


@asks(Permission.ANYBODY)
def send_static(request: Request) -> Response:
    """A built file. Its name has the hash of its content, so that browsers may keep it."""
    name = request.path_params["name"]
    file = STATIC / name
    kind = _TYPES.get(file.suffix)
    if "/" in name or "\\" in name or kind is None or not file.is_file():
        return Response("not found", 404, media_type="text/plain")
    kept = _FOR_A_YEAR if kind != "text/plain" else "no-cache"
    return FileResponse(file, media_type=kind, headers={"cache-control": kept})


_ICON = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><rect width="24" height="24" rx="5" \
fill="#10222b"/><path d="M12 3.6 5.4 6v5.5c0 4.1 2.7 7.1 6.6 8.6 3.9-1.5 6.6-4.5 6.6-8.6V6z" \
fill="none" stroke="#4fd1c5" stroke-width="1.8" stroke-linejoin="round"/><path d="m9 12 2.1 2.1 \
4.1-4.3" fill="none" stroke="#4fd1c5" stroke-width="1.8" stroke-linecap="round" \
stroke-linejoin="round"/></svg>"""


@asks(Permission.ANYBODY)
def send_icon(request: Request) -> Response:
    """The icon of the tab."""
    return Response(
        _ICON, media_type="image/svg+xml", headers={"cache-control": "public, max-age=86400"}
    )
