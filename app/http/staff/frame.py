"""What all pages for staff share: the sections, what was done or went wrong, and the shop that the address names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.domain.tenants import Tenant
from app.domain.texts import is_well_formed
from app.domain.tools import LiveTools
from app.http.pages import PageTemplate, show_form_page

_SECTIONS = {"": "Customers", "/audit": "Audit", "/outbox": "Outbox", "/webhooks": "Webhooks", "/shops": "Shops"}
# What a page says after a form was sent to it; the address names the word only.
_DONE = {
    "activated": "The customer is active.",
    "deactivated": "The customer is inactive. All sessions have ended.",
    "held": "The customer is on hold. All sessions have ended.",
    "released": "The hold has ended.",
    "put-in": "The customer is in the group.",
    "taken-out": "The customer has left the group.",
    "retried": "It will be tried again at once.",
    "replayed": "The event will be sent again, with the same id.",
    "resumed": "The pauses have ended: what waits is sent now.",
}
_HEAD = """<nav class="sections" aria-label="Staff">
{% for path, name in sections %}
<a href="{{ base }}/dev/staff{{ path }}"{% if path == section %} aria-current="page"{% endif %}>{{ name }}</a>
{% endfor %}
<a href="{{ base }}/dev">Development</a>
</nav>
<h1>{{ title }}</h1>
{% if done %}
<div class="notice done" role="status"><p>{{ done }}</p></div>
{% endif %}
{% if faults %}
<div class="notice fault" role="alert">
{% for fault in faults %}
<p>{{ fault }}</p>
{% endfor %}
</div>
{% endif %}
"""

Show = Callable[..., Response]


def staff_page(body: str, section: str) -> Show:
    """Return what shows a page of this section: `show(request, base, title, status=…, faults=…, **values)`."""
    template = PageTemplate(_HEAD + body)

    def show(
        request: Request, base: str, title: str, *, status: int = 200, faults: Sequence[str] = (), **values: object
    ) -> Response:
        frame = {
            "sections": _SECTIONS.items(),
            "section": section,
            "done": _DONE.get(request.query_params.get("done", "")),
            "at": show_time,
        }
        return show_form_page(template, status, title=title, base=base, faults=faults, **frame, **values)

    return show


def go_to(path: str) -> Response:
    """Return what has the browser load one of our pages after a form (303)."""
    return Response(status_code=303, headers={"Location": path})


def find_shop(live: LiveTools, tenant_id: str | None) -> Tenant:
    """Return the shop of this id, or the first one for None; 404 where there is none."""
    tenants = live.now.tenants
    tenant = next(iter(tenants), None) if tenant_id is None else tenants.find_tenant(tenant_id)
    if tenant is None:
        raise HTTPException(404, "There is no such shop.")
    return tenant


def asked(request: Request, name: str) -> str | None:
    """Return a parameter of the address; None for one that is empty, or that no text can be."""
    value = request.query_params.get(name, "").strip()
    return value if value and is_well_formed(value) else None


def show_time(moment: datetime | None) -> str:
    """Return a time for people, in UTC."""
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC") if moment is not None else ""
