"""The list of a shop's customers on the staff page, with a search in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.http.staff.api import Answer, Api
from app.http.staff.frame import asked, find_shop, staff_page
from app.http.staff.operations import LIST, SEARCH

MOST_FOUND = 50

_PAGE = staff_page(
    """<form action="{{ base }}/dev/staff" role="search">
<label>Shop
<select name="shop">
{% for each in shops %}
<option value="{{ each.id }}"{% if each.id == shop.id %} selected{% endif %}>{{ each.name }}</option>
{% endfor %}
</select></label>
<label class="wide">Words of name, address, e-mail or phone; or a number, reference or id
<input type="search" name="search" value="{{ search }}" maxlength="200" autocomplete="off"></label>
<button>Search</button>
</form>
{% if customers %}
<ul>
{% for each in customers %}
<li><a href="{{ base }}/dev/staff/shops/{{ shop.id }}/customers/{{ each.id }}">
<strong>{{ name_of(each) }}</strong>
{% for tag in tags_of(each) %}
<span class="tag">{{ tag }}</span>
{% endfor %}
<span>{{ [each.email, each.customerNumber] | select | join(" · ") }}</span></a></li>
{% endfor %}
</ul>
{% elif not faults %}
<p class="quiet">{% if search %}Nobody is found by this.{% else %}This shop has no customers yet.{% endif %}</p>
{% endif %}
{% if after %}
<p><a href="{{ base }}/dev/staff?shop={{ shop.id }}&amp;after={{ after | urlencode }}">The next customers</a></p>
{% endif %}
""",
    "",
)


def list_routes(api: Api, base: str) -> list[Route]:
    """Return the route of the list."""

    async def list_customers(request: Request) -> Response:
        shop, search = find_shop(api.live, asked(request, "shop")), asked(request, "search")
        if search is None:
            answer = await api.ask(request, shop, LIST, {"after": asked(request, "after")})
            page = answer.data.get("customers") or {"nodes": [], "pageInfo": {}}
            customers, after = page["nodes"], page["pageInfo"].get("hasNextPage") and page["pageInfo"]["endCursor"]
        else:
            variables = {"id": search, "text": search, "first": MOST_FOUND}
            answer = await api.ask(request, shop, SEARCH, variables)
            customers, after = list(_found(answer).values())[:MOST_FOUND], None
        return _PAGE(
            request,
            base,
            "Customers",
            status=400 if answer.faults else 200,
            faults=answer.faults,
            shops=api.live.now.tenants,
            shop=shop,
            search=search or "",
            customers=customers,
            after=after,
            name_of=name_of,
            tags_of=tags_of,
        )

    return [Route("/dev/staff", list_customers)]


def _found(answer: Answer) -> Mapping[str, Any]:
    """Return whoever was found, each once, by the id."""
    alone = (answer.data.get(name) for name in ("byId", "byNumber", "byReference"))
    listed = ((answer.data.get(name) or {}).get("nodes", ()) for name in ("byEmail", "byWords"))
    found = [*filter(None, alone), *(each for nodes in listed for each in nodes)]
    return {each["id"]: each for each in found}


def name_of(customer: Mapping[str, Any]) -> str:
    """Return what to call a customer."""
    name = " ".join(filter(None, (customer["firstName"], customer["lastName"])))
    return name or customer["company"] or customer["email"] or customer["customerNumber"] or customer["id"]


def tags_of(customer: Mapping[str, Any]) -> list[str]:
    """Return what keeps a customer from signing in, in words."""
    is_so = {
        "inactive": not customer["active"],
        "on hold": customer["onHold"],
        "joined with another": customer["mergedInto"] is not None,
        "anonymization": customer["anonymizationStatus"] is not None,
    }
    return [word for word, holds in is_so.items() if holds]
