"""The page at GET /graphql for a browser: GraphiQL, or without its bundle a plain page with the same operations."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from app.domain.tenants import SignupMode
from app.http.first_steps import FirstSteps
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


def playground_routes(steps: Callable[[], FirstSteps], base: str = "") -> list[BaseRoute]:
    """Return the routes of the page's own files, and of the operations in its tabs."""

    async def plain(_request: Request) -> Response:
        return _page(_FOLDER / "plain.html", base)

    async def journey(_request: Request) -> Response:
        return JSONResponse(_journey(steps()))

    routes: list[BaseRoute] = [
        Route("/playground/plain/plain.html", plain),
        Route("/playground/journey.json", journey),
        Mount("/playground/plain", StaticFiles(directory=_FOLDER / "src")),
    ]
    if is_bundled():
        routes.append(Mount("/playground/assets", ImmutableFiles(_BUNDLE / "assets", _POLICY)))
    return routes


def _journey(steps: FirstSteps) -> list[dict[str, Any]]:
    """Return the tabs, which begin with a storefront of the served shops."""
    tabs: list[dict[str, Any]] = json.loads((_FOLDER / "journey.json").read_text(encoding="utf-8"))
    begin = tabs[0]
    begin["variables"]["input"] = {
        "clientId": steps.client.id if steps.client is not None else "",
        "site": steps.tenant.default_site.id if steps.tenant is not None else "",
    }
    if steps.hint is not None:
        begin["query"] = textwrap.indent(textwrap.fill(steps.hint, 46), "# ") + "\n#\n" + begin["query"]
    confirms = steps.tenant is None or steps.tenant.signup is SignupMode.CONFIRM_EMAIL
    shown = [tab for tab in tabs if confirms or tab["name"] != "Confirm"]
    return [{**tab, "name": f"{number} {tab['name']}"} for number, tab in enumerate(shown, start=1)]
