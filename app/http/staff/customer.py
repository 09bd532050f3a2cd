"""One customer on the staff page: what is known of them, and the forms for what staff do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.domain.devices import describe_device
from app.domain.tenants import Tenant
from app.http.staff.api import Answer, Api
from app.http.staff.audit import AUDIT_LINES, describe_line
from app.http.staff.customers import name_of, tags_of
from app.http.staff.forms import read_own_form
from app.http.staff.frame import find_shop, go_to, show_time, staff_page
from app.http.staff.operations import CUSTOMER, GROUPS_OF, LOGIN_ON_BEHALF, UPDATE
from app.services.staff.overview import audit_about, sessions_of

_PAGE = staff_page(
    """{% if tags %}
<p>{% for tag in tags %}<span class="tag">{{ tag }}</span> {% endfor %}</p>
{% endif %}
<dl>
{% for label, value in facts %}
<dt>{{ label }}</dt><dd>{{ value }}</dd>
{% endfor %}
{% if customer.mergedInto %}
<dt>Joined with</dt><dd><a href="{{ home }}/{{ customer.mergedInto }}">{{ customer.mergedInto }}</a></dd>
{% endif %}
</dl>
<h2>Account</h2>
<div class="actions">
<form method="post" action="{{ path }}/active">
<input type="hidden" name="value" value="{{ "false" if customer.active else "true" }}">
<button class="second">{{ "Deactivate" if customer.active else "Activate" }}</button>
</form>
<form method="post" action="{{ path }}/hold">
<input type="hidden" name="value" value="{{ "false" if customer.onHold else "true" }}">
<button class="second">{{ "End the hold" if customer.onHold else "Put on hold" }}</button>
</form>
</div>
<h2>Act on behalf</h2>
<form method="post" action="{{ path }}/on-behalf">
<label class="wide">Reason, which the customer can read
<input name="reason" value="{{ reason }}" required maxlength="200" autocomplete="off"></label>
<button>Get an access token</button>
</form>
<h2>Groups</h2>
{% if customer.groups %}
<ul class="rows">
{% for group in customer.groups %}
<li><strong>{{ group.name }}</strong> <code>{{ group.code }}</code>
<form method="post" action="{{ path }}/groups">
<input type="hidden" name="group" value="{{ group.id }}">
<input type="hidden" name="value" value="false">
<button class="second" aria-label="Take out of {{ group.name }}">Take out</button>
</form></li>
{% endfor %}
</ul>
{% else %}
<p class="quiet">In no group.</p>
{% endif %}
{% if other_groups %}
<form method="post" action="{{ path }}/groups">
<input type="hidden" name="value" value="true">
<label class="wide">Another group
<select name="group">
{% for group in other_groups %}
<option value="{{ group.id }}">{{ group.name }}</option>
{% endfor %}
</select></label>
<button class="second">Put in</button>
</form>
{% elif not customer.groups %}
<p class="quiet">The shop has no groups: <code>createCustomerGroup</code> makes one.</p>
{% endif %}
<h2>Addresses</h2>
{% if customer.addresses %}
<ul class="rows">
{% for address in customer.addresses %}
<li><strong>{{ address.contactName }}</strong>{% if address.isDefault %} <span class="tag">default</span>{% endif %}
<span>{{ [address.companyName, [address.street, address.streetNumber] | select | join(" "), [address.zipCode,
address.city] | select | join(" "), address.state, address.country] | select | join(", ") }}</span>
{% if address.tags %}
<span>{{ address.tags | join(", ") }}</span>
{% endif %}
</li>
{% endfor %}
</ul>
{% else %}
<p class="quiet">None.</p>
{% endif %}
<h2>Open sessions</h2>
{% if sessions %}
<ul class="rows">
{% for session in sessions %}
{% if session.actor_id %}
<li><strong>{{ session.actor_id }}</strong> <span class="tag">on behalf</span>
<span>{{ session.actor_reason }}</span>
{% else %}
<li><strong>{{ device_of(session.user_agent) or "Unknown device" }}</strong>
{% endif %}
<span>{{ session.client_id }} · begun {{ at(session.created_at) }} · used {{ at(session.last_used_at) }}</span></li>
{% endfor %}
</ul>
{% else %}
<p class="quiet">None.</p>
{% endif %}
<h2>Audit</h2>
"""
    + AUDIT_LINES
    + """{% if mixins %}
<h2>Mixins</h2>
<pre>{{ mixins }}</pre>
{% endif %}
""",
    "",
)
_TOKEN_PAGE = staff_page(
    """<p>For {{ seconds // 60 }} minutes, as <a href="{{ path }}">{{ customer_id }}</a>. It is not shown again.</p>
<form>
<label class="wide" for="token">Access token
<input id="token" value="{{ token }}" readonly></label>
</form>
<h2>Use it</h2>
<p>As a header in <a href="{{ base }}/graphql">GraphiQL</a>:</p>
<pre>{"Authorization": "Bearer {{ token }}"}</pre>
<p>In a terminal:</p>
<pre>curl {{ url }}/graphql -H 'Content-Type: application/json' -H 'Authorization: Bearer {{ token }}' \
-d '{"query": "{ me { id email } }"}'</pre>
""",
    "",
)
_YES = {"true": True, "false": False}
_SWITCHES = {
    ("active", True): "activated",
    ("active", False): "deactivated",
    ("onHold", True): "held",
    ("onHold", False): "released",
}


@dataclass(frozen=True, slots=True)
class _Place:
    """One customer of one shop, and where the page about them is; `home` is where all customers of the shop are."""

    shop: Tenant
    customer_id: str
    home: str

    @property
    def path(self) -> str:
        return f"{self.home}/{quote(self.customer_id, safe='')}"


class CustomerPages:
    """The page about a customer, and what its forms do."""

    def __init__(self, api: Api, base: str) -> None:
        self._api = api
        self._base = base

    def routes(self) -> list[Route]:
        """Return the routes of the page and of its forms."""
        path = "/dev/staff/shops/{shop}/customers/{customer}"
        return [
            Route(path, self._show_customer),
            Route(f"{path}/active", self._activate, methods=["POST"]),
            Route(f"{path}/hold", self._hold, methods=["POST"]),
            Route(f"{path}/groups", self._change_groups, methods=["POST"]),
            Route(f"{path}/on-behalf", self._act_on_behalf, methods=["POST"]),
        ]

    def _place(self, request: Request) -> _Place:
        shop = find_shop(self._api.live, request.path_params["shop"])
        home = f"{self._base}/dev/staff/shops/{shop.id}/customers"
        return _Place(shop, request.path_params["customer"], home)

    async def _form(self, request: Request) -> dict[str, str]:
        return await read_own_form(request, self._api.live.now.public_url)

    async def _show_customer(self, request: Request) -> Response:
        return await self._show(request, self._place(request))

    async def _activate(self, request: Request) -> Response:
        return await self._switch(request, "active")

    async def _hold(self, request: Request) -> Response:
        return await self._switch(request, "onHold")

    async def _switch(self, request: Request, name: str) -> Response:
        place, form = self._place(request), await self._form(request)
        value = _switched(form)
        return await self._update(request, place, {name: value}, _SWITCHES[name, value])

    async def _change_groups(self, request: Request) -> Response:
        place, form = self._place(request), await self._form(request)
        value, group = _switched(form), form.get("group", "")
        answer = await self._api.ask(request, place.shop, GROUPS_OF, {"id": place.customer_id})
        customer = answer.data.get("customer")
        if customer is None:
            return await self._show(request, place, answer)
        groups = [each["id"] for each in customer["groups"] if each["id"] != group] + ([group] if value else [])
        # Of the same version: whoever changes the groups at this moment is not overruled.
        patch = {"groupIds": groups, "metadata": {"version": customer["metadata"]["version"]}}
        return await self._update(request, place, patch, "put-in" if value else "taken-out")

    async def _update(self, request: Request, place: _Place, patch: Mapping[str, Any], done: str) -> Response:
        variables = {"input": {"id": place.customer_id, **patch}}
        answer = await self._api.ask(request, place.shop, UPDATE, variables)
        if answer.faults:
            return await self._show(request, place, answer)
        return go_to(f"{place.path}?done={done}")

    async def _act_on_behalf(self, request: Request) -> Response:
        place, form = self._place(request), await self._form(request)
        variables = {"input": {"customerId": place.customer_id, "reason": form.get("reason", "")}}
        answer = await self._api.ask(request, place.shop, LOGIN_ON_BEHALF, variables, with_token=True)
        tokens = (answer.data.get("loginOnBehalf") or {}).get("tokens")
        if tokens is None:
            return await self._show(request, place, answer, reason=form.get("reason", ""))
        values = {"token": tokens["accessToken"], "seconds": tokens["expiresIn"], "customer_id": place.customer_id}
        url = self._api.live.now.public_url
        return _TOKEN_PAGE(request, self._base, "A token to act on behalf", path=place.path, url=url, **values)

    async def _show(
        self, request: Request, place: _Place, refused: Answer | None = None, *, reason: str = ""
    ) -> Response:
        """Show the customer, and what the API refused; 404 for one that is not there."""
        answer = await self._api.ask(request, place.shop, CUSTOMER, {"id": place.customer_id})
        customer = answer.data.get("customer")
        if customer is None:
            raise HTTPException(400 if answer.faults else 404, " ".join(answer.faults) or "There is no such customer.")
        tools = self._api.live.now
        inside = {group["id"] for group in customer["groups"]}
        return _PAGE(
            request,
            self._base,
            name_of(customer),
            status=422 if refused else 200,
            faults=[*(refused.faults if refused else ()), *answer.faults],
            customer=customer,
            facts=_facts(place.shop, customer),
            tags=tags_of(customer),
            home=place.home,
            path=place.path,
            reason=reason,
            other_groups=[group for group in answer.data["customerGroups"] if group["id"] not in inside],
            sessions=await sessions_of(tools, place.shop, place.customer_id),
            lines=await audit_about(tools, place.shop, place.customer_id),
            describe_line=describe_line,
            device_of=describe_device,
            mixins=json.dumps(customer["mixins"], indent=2, ensure_ascii=False) if customer["mixins"] else "",
        )


def _switched(form: Mapping[str, str]) -> bool:
    value = _YES.get(form.get("value", ""))
    if value is None:
        raise HTTPException(400, "The form lacks its value: true or false.")
    return value


def _facts(shop: Tenant, customer: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """Return what is known of a customer in labelled words; what is not known is left out."""
    b2b = customer["b2b"] or {"companyRegistrationId": None, "legalEntities": []}
    facts = {
        "Shop": shop.name,
        "Id": customer["id"],
        "Number": customer["customerNumber"],
        "Shopper reference": customer["shopperReference"],
        "E-mail": _with(customer["email"], "verified" if customer["emailVerified"] else "not verified"),
        "Mail comes back": "yes" if customer["emailBounced"] else None,
        "Contact e-mail": customer["contactEmail"] if customer["contactEmail"] != customer["email"] else None,
        "Phone": _with(customer["contactPhone"], "verified" if customer["phoneVerified"] else "not verified"),
        "Title": customer["title"],
        "Middle name": customer["middleName"],
        "Company": customer["company"],
        "Registration number": b2b["companyRegistrationId"],
        "Buys for": ", ".join(
            _with(each["name"], None if each["confirmed"] else "not confirmed") or "" for each in b2b["legalEntities"]
        ),
        "Business model": customer["businessModel"],
        "Prefers": ", ".join(filter(None, (customer[f"preferred{name}"] for name in ("Language", "Currency", "Site")))),
        "Signs in also by": ", ".join(_with(each["provider"], each["email"]) or "" for each in customer["accounts"]),
        "Second factor": "required" if customer["secondFactorRequired"] else None,
        "Status": customer["status"],
        "Anonymization": customer["anonymizationStatus"],
        "Last login": _time(customer["lastLoginAt"]),
        "Created": _time(customer["metadata"]["createdAt"]),
        "Changed": f"{_time(customer['metadata']['updatedAt'])}, version {customer['metadata']['version']}",
    }
    return [(label, str(value)) for label, value in facts.items() if value]


def _time(text: str | None) -> str:
    return show_time(datetime.fromisoformat(text)) if text is not None else ""


def _with(text: str | None, remark: str | None) -> str | None:
    return f"{text} ({remark})" if text and remark else text
