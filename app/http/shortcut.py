"""Leads to the one endpoint that nearly all requests are for, past the router and its layers."""

from __future__ import annotations

from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send


class Shortcut:
    """Wraps an application (pure ASGI). `POST` to the path of the route goes to its endpoint at once.

    The router does the same in three times the time. All else is the application's: other methods, other paths, and
    every path behind a prefix (`root_path`).
    """

    def __init__(self, app: ASGIApp, *, route: Route) -> None:
        self._app = app
        self._route = route
        self._path = route.path
        self._endpoint: ASGIApp = route.app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or pass it on (ASGI)."""
        if (
            scope["type"] == "http"
            and scope["path"] == self._path
            and scope["method"] == "POST"
            and not scope.get("root_path")
        ):
            scope["route"] = self._route
            await self._endpoint(scope, receive, send)
        else:
            await self._app(scope, receive, send)
