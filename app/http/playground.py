"""The page at GET /graphql for a browser: GraphiQL, or without its bundle a plain page with the same operations."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from app.http.first_steps import FirstSteps
from app.http.journey import journey
from app.http.pages import ImmutableFiles

_FOLDER = Path(__file__).with_name("graphiql")
_BUNDLE = _FOLDER / "dist"

# Only our own files. The editor of GraphiQL sets inline styles on its elements.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; "
    "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Playground:
    """Answers a browser with the page (ASGI); `base` is the path of PUBLIC_URL, which a proxy takes off."""

    def __init__(self, base: str = "") -> None:
        self._page: ASGIApp = _page(_BUNDLE / "index.html" if is_bundled() else _FOLDER / "plain.html", base)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        await self._page(scope, receive, send)


def _page(path: Path, base: str) -> Response:
    """Return a page whose own links, and those that its scripts make, begin with the base."""
    text = path.read_text(encoding="utf-8").replace('"./assets/', '"/playground/assets/')
    for own in ("/playground/", "/dev/mail"):
        text = text.replace(f'"{own}', f'"{escape(base)}{own}')
    text = text.replace("<html ", f'<html data-base="{escape(base)}" ', 1)
    return HTMLResponse(text, headers={"Content-Security-Policy": _POLICY})


def is_bundled() -> bool:
    """Tell whether GraphiQL was bundled at set-up, which takes Node.js."""
    return (_BUNDLE / "index.html").is_file()


def playground_routes(steps: Callable[[], FirstSteps], base: str = "", *, has_mailbox: bool = False) -> list[BaseRoute]:
    """Return the routes of the page's own files, and of the operations that it shows."""

    async def plain(_request: Request) -> Response:
        return _page(_FOLDER / "plain.html", base)

    async def show_journey(_request: Request) -> Response:
        return JSONResponse({**journey(steps()), "mailbox": has_mailbox})

    routes: list[BaseRoute] = [
        Route("/playground/plain/plain.html", plain),
        Route("/playground/journey.json", show_journey),
        Mount("/playground/plain", StaticFiles(directory=_FOLDER / "src")),
    ]
    if is_bundled():
        routes.append(Mount("/playground/assets", ImmutableFiles(_BUNDLE / "assets", _POLICY)))
    return routes
