"""The example storefront in development, at each site of a shop that is at the gateway's own address."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.types import Scope

from app.domain.tenants import Client, Site, TenantDirectory
from app.http.pages import ImmutableFiles

_FOLDER = Path(__file__).with_name("storefront")
_BUNDLE = _FOLDER / "dist"
# The last part of the address of each page but the home page.
_PAGES = _FOLDER / "src/pages.json"

# Nothing inline, and no other host.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop window: the client that the storefront speaks as, the site, and the site's path below the gateway's."""

    client: Client
    site: Site
    home: str


def find_shops(tenants: TenantDirectory, address: str) -> Iterator[Shop]:
    """Yield the sites at the gateway's address that a storefront client can be shown at.

    Where there is none, the first storefront of all is shown at `/`.
    """
    found = False
    for tenant in tenants:
        client = next((client for client in tenant.clients if client.is_storefront), None)
        for site in tenant.sites:
            home = site.url.removeprefix(address)
            if client is not None and site.url.startswith(address) and home[:1] in {"", "/"}:
                yield Shop(client, site, home)
                found = True
    first = tenants.find_first_storefront()
    if not found and first is not None:
        yield Shop(first[1], first[0].default_site, "")


class _Pages(Route):
    """The pages of all shops; every other address is left to the routes after it."""

    def __init__(
        self, address: str, base: str, tenants: Callable[[], TenantDirectory], without: Callable[[], Response]
    ) -> None:
        self._address = address
        self._base = base
        self._tenants = tenants
        self._without = without
        # The image has no storefront.
        self._pages = frozenset(json.loads(_PAGES.read_text(encoding="utf-8"))) if _PAGES.is_file() else frozenset()
        self._known: tuple[TenantDirectory, dict[str, Shop]] | None = None
        super().__init__("/{path:path}", self._show)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match only what is a page."""
        if scope["type"] != "http" or self._find(scope["path"]) is None:
            return Match.NONE, {}
        return super().matches(scope)

    async def _show(self, request: Request) -> Response:
        shop = self._find(request.url.path)
        if shop is None or not is_bundled():
            return self._without()
        return _page(shop, self._base)

    def _find(self, path: str) -> Shop | None:
        """Return the shop that the path is a page of, or None."""
        home, _, page = path.rstrip("/").rpartition("/")
        shops = self._shops()
        return shops.get(path.rstrip("/")) or (shops.get(home) if page in self._pages else None)

    def _shops(self) -> dict[str, Shop]:
        """Return the shops by their path; they are found anew when the tenants have changed."""
        tenants = self._tenants()
        if self._known is None or self._known[0] is not tenants:
            self._known = (tenants, {shop.home: shop for shop in find_shops(tenants, self._address)})
        return self._known[1]


def storefront_routes(
    address: str, base: str, tenants: Callable[[], TenantDirectory], without: Callable[[], Response]
) -> list[BaseRoute]:
    """Return the routes of the storefront at the gateway's `address`; `without` shows the page that replaces it.

    `base` is the path of PUBLIC_URL, which a proxy takes off.
    """
    routes: list[BaseRoute] = []
    if is_bundled():
        assets = GZipMiddleware(ImmutableFiles(_BUNDLE / "assets", _POLICY))
        routes.append(Mount("/storefront/assets", assets))
    return [*routes, _Pages(address, base, tenants, without)]


def is_bundled() -> bool:
    """Tell whether the storefront was bundled at set-up, which takes Node.js."""
    return (_BUNDLE / "index.html").is_file()


def _page(shop: Shop, base: str) -> Response:
    """Return the page that shows every page of a shop."""
    text = (_BUNDLE / "index.html").read_text(encoding="utf-8")
    values = {
        "base": base,
        "home": base + shop.home,
        "client": shop.client.id,
        "site": shop.site.id,
        "site-url": shop.site.url,
        "site-language": shop.site.language,
        "site-country": shop.site.country or "",
    }
    attributes = " ".join(f'data-{name}="{escape(value)}"' for name, value in values.items())
    text = text.replace("<html ", f"<html {attributes} ", 1).replace(
        '"./assets/', f'"{escape(base)}/storefront/assets/'
    )
    return HTMLResponse(text, headers={"Content-Security-Policy": _POLICY})
