"""The page at GET /graphql for a browser: GraphiQL, or without its bundle a plain page with the same operations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

_FOLDER = Path(__file__).with_name("graphiql")
_BUNDLE = _FOLDER / "dist"

# Nothing but our own files. The editor of GraphiQL sets the styles of its elements itself.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; "
    "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class _Assets(StaticFiles):
    """Files whose name changes with their content; a worker among them has the page's policy."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        response.headers["Content-Security-Policy"] = _POLICY
        return response


class Playground:
    """Answers a browser with the page (ASGI)."""

    def __init__(self) -> None:
        self._page: ASGIApp = _page(_BUNDLE / "index.html" if is_bundled() else _FOLDER / "plain.html")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        await self._page(scope, receive, send)


def _page(path: Path) -> Response:
    return FileResponse(path, headers={"Content-Security-Policy": _POLICY})


def is_bundled() -> bool:
    """Tell whether GraphiQL was bundled at set-up, which takes Node.js."""
    return (_BUNDLE / "index.html").is_file()


def playground_routes() -> list[BaseRoute]:
    """Return the routes of the page's own files."""

    async def plain(_request: Request) -> Response:
        return _page(_FOLDER / "plain.html")

    async def journey(_request: Request) -> Response:
        return FileResponse(_FOLDER / "journey.json")

    routes: list[BaseRoute] = [
        Route("/playground/plain/plain.html", plain),
        Route("/playground/plain/journey.json", journey),
        Mount("/playground/plain", StaticFiles(directory=_FOLDER / "src")),
    ]
    if is_bundled():
        routes.append(Mount("/playground/assets", _Assets(directory=_BUNDLE / "assets")))
    return routes
