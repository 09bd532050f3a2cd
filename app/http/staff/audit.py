"""The audit of a shop on the staff page."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.domain.tools import LiveTools
from app.http.staff.frame import asked, find_shop, staff_page
from app.services.staff.overview import latest_audit

# Lines of the audit in any page: it needs `lines` and `describe_line`.
AUDIT_LINES = """{% if lines %}
<ul class="rows">
{% for line in lines %}
<li><strong>{{ line.action }}</strong>{% if line.outcome != "success" %} <span class="tag">{{ line.outcome }}</span>\
{% endif %}

<span>{{ at(line.occurred_at) }} · {{ describe_line(line) }}</span>
{% if line.customer_id and customers_at is defined %}
<span>about <a href="{{ customers_at }}/{{ line.customer_id }}">{{ line.customer_id }}</a></span>
{% endif %}
</li>
{% endfor %}
</ul>
{% else %}
<p class="quiet">Nothing yet.</p>
{% endif %}
"""
_PAGE = staff_page(
    """<form action="{{ base }}/dev/staff/audit">
<label class="wide">Shop
<select name="shop">
{% for each in shops %}
<option value="{{ each.id }}"{% if each.id == shop.id %} selected{% endif %}>{{ each.name }}</option>
{% endfor %}
</select></label>
<button>Show</button>
</form>
"""
    + AUDIT_LINES,
    "/audit",
)


def audit_routes(live: LiveTools, base: str) -> list[Route]:
    """Return the route of the audit."""

    async def show_audit(request: Request) -> Response:
        shop = find_shop(live, asked(request, "shop"))
        return _PAGE(
            request,
            base,
            "Audit",
            shops=live.now.tenants,
            shop=shop,
            lines=await latest_audit(live.now, shop),
            describe_line=describe_line,
            customers_at=f"{base}/dev/staff/shops/{shop.id}/customers",
        )

    return [Route("/dev/staff/audit", show_audit)]


def describe_line(line: Any) -> str:
    """Return who it was, from where, and what else the line says."""
    who = " ".join(filter(None, (line.actor_kind, line.actor_id))) or "nobody known"
    detail = ", ".join(
        f"{name}: {str(value).lower() if isinstance(value, bool) else value}" for name, value in line.detail.items()
    )
    return " · ".join(filter(None, (f"by {who}", line.ip, detail)))
