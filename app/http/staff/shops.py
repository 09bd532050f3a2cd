"""The shops on the staff page, as the gateway has loaded them; secrets and private texts are left out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import Enum
from typing import Any

from pydantic import BaseModel, SecretStr
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.domain.tenants import Tenant
from app.domain.tools import LiveTools
from app.http.staff.frame import find_shop, staff_page
from app.services.staff.staff_page import find_integration

# What a secret is shown as.
HIDDEN = "(set, not shown)"

_LIST = staff_page(
    """<p class="quiet">{{ shops | length }} as loaded at this moment.</p>
<ul>
{% for each in shops %}
<li><a href="{{ base }}/dev/staff/shops/{{ each.id }}"><strong>{{ each.name }}</strong>
<span>{{ each.id }} · {{ each.default_site.url }}</span></a></li>
{% endfor %}
</ul>
""",
    "/shops",
)
_SHOP = staff_page(
    """<p><a href="{{ base }}/dev/staff?shop={{ shop.id }}">Its customers</a> ·
<a href="{{ base }}/dev/staff/audit?shop={{ shop.id }}">its audit</a></p>
<dl>
{% for label, value in facts %}
<dt>{{ label }}</dt><dd>{{ value }}</dd>
{% endfor %}
</dl>
<h2>As loaded, with what is left to its default</h2>
<pre>{{ loaded }}</pre>
""",
    "/shops",
)


def shop_routes(live: LiveTools, base: str) -> list[Route]:
    """Return the routes of the list of shops and of one shop."""

    async def list_shops(request: Request) -> Response:
        return _LIST(request, base, "Shops", shops=list(live.now.tenants))

    async def show_shop(request: Request) -> Response:
        shop = find_shop(live, request.path_params["shop"])
        loaded = json.dumps(show(shop), indent=2, ensure_ascii=False)
        return _SHOP(request, base, shop.name, shop=shop, facts=list(_facts(shop)), loaded=loaded)

    return [Route("/dev/staff/shops", list_shops), Route("/dev/staff/shops/{shop}", show_shop)]


def _facts(shop: Tenant) -> Iterator[tuple[str, str]]:
    integration = find_integration(shop)
    yield "Id", shop.id
    yield "Sign-up", shop.signup.value
    yield "Sites", ", ".join(site.url for site in shop.sites)
    yield "Storefronts", ", ".join(client.id for client in shop.clients if client.is_storefront) or "none"
    yield "Integrations", ", ".join(client.id for client in shop.clients if not client.is_storefront) or "none"
    yield "Sign-in", ", ".join(method.value for method in shop.sign_in_methods)
    yield "Webhooks", ", ".join(endpoint.url for endpoint in shop.webhooks) or "none"
    yield "This page calls as", integration.id if integration is not None else "nobody: there is no integration"


def show(value: Any) -> Any:
    """Return a part of a shop as JSON can hold it. A secret is only said to be there, and so is what is no key."""
    match value:
        case BaseModel():
            return {
                name: show(getattr(value, name)) if field.repr else _is_set(getattr(value, name))
                for name, field in type(value).model_fields.items()
            }
        case SecretStr():
            return HIDDEN
        case Enum():
            return value.value
        case dict():
            return {str(name): show(each) for name, each in value.items()}
        case tuple() | list():
            return [show(each) for each in value]
        case set() | frozenset():
            return sorted(map(show, value))
        case None | bool() | int() | float() | str():
            return value
    return str(value)


def _is_set(value: Any) -> str | None:
    return HIDDEN if value is not None else None
