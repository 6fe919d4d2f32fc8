"""Send the page: the files of `static/`, from a list that is made when the server starts."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

from moviola.serve.errors import ApiError

FOLDER = Path(__file__).parent / "static"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}
_FRESH = {"cache-control": "no-cache"}


def page_routes() -> APIRouter:
    """Make the routes of the page, which look files up in a list; no path is put together."""
    router = APIRouter(include_in_schema=False)
    files = {
        path.relative_to(FOLDER).as_posix(): path
        for path in sorted(FOLDER.rglob("*"))
        if path.is_file() and path.suffix in _TYPES
    }

    @router.api_route("/", methods=["GET", "HEAD"])
    def page() -> FileResponse:
        """Send the page itself."""
        return _file("index.html")

    @router.api_route("/static/{name:path}", methods=["GET", "HEAD"])
    def file(name: str) -> FileResponse:
        """Send a file that the page uses."""
        return _file(name)

    def _file(name: str) -> FileResponse:
        """Find a file in the list."""
        path = files.get(name)
        if path is None:
            raise ApiError(404, "not_found", "there is no such file")
        return FileResponse(path, media_type=_TYPES[path.suffix], headers=_FRESH)

    return router
