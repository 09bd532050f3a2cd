"""Outbox and webhooks of all shops on the staff page: what waits, what was given up, and how to try it again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.domain.tools import LiveTools
from app.http.staff.forms import read_own_form
from app.http.staff.frame import asked, find_shop, go_to, staff_page
from app.services.outgoing.outbox import outbox_state, retry, waiting_messages
from app.services.outgoing.webhooks import deliveries, replay, resume
from app.services.staff.overview import failing_endpoints

MOST_LISTED = 200

_OUTBOX = staff_page(
    """{% macro messages(listed) %}
<ul class="rows">
{% for each in listed %}
<li><strong>{{ each.topic }}</strong> <span class="tag">{{ each.kind }}</span>
<span>{{ each.tenant_id }} · written {{ at(each.created_at) }} · attempts: {{ each.attempts }}
{%- if not each.dead_at %} · due {{ at(each.due_at) }}{% endif %}</span>
{% if each.last_error %}
<span>{{ each.last_error }}</span>
{% endif %}
<span><code>{{ each.id }}</code></span>
{% if each.dead_at or each.last_error %}
<form method="post" action="{{ base }}/dev/staff/outbox/retry">
<input type="hidden" name="message" value="{{ each.id }}">
<button class="second" aria-label="Try again: {{ each.id }}">Try again</button>
</form>
{% endif %}
</li>
{% endfor %}
</ul>
{% endmacro %}
<p>{{ state.waiting }} waiting ({{ state.failing }} of them failing), {{ state.dead }} dead.</p>
{% if state.dead or state.failing %}
<form method="post" action="{{ base }}/dev/staff/outbox/retry">
<button>Try all of it again</button>
</form>
{% endif %}
<h2>Dead letters</h2>
{% if state.dead_messages %}
{{ messages(state.dead_messages) }}
{% else %}
<p class="quiet">None.</p>
{% endif %}
<h2>Waiting</h2>
{% if waiting %}
{{ messages(waiting) }}
{% else %}
<p class="quiet">Nothing waits.</p>
{% endif %}
""",
    "/outbox",
)
_WEBHOOKS = staff_page(
    """<form action="{{ base }}/dev/staff/webhooks">
<label class="wide">Shop
<select name="shop">
<option value="">All shops</option>
{% for each in shops %}
<option value="{{ each.id }}"{% if shop and each.id == shop.id %} selected{% endif %}>{{ each.name }}</option>
{% endfor %}
</select></label>
<label>Events
<select name="failed">
<option value="">All</option>
<option value="yes"{% if only_failed %} selected{% endif %}>Not delivered</option>
</select></label>
<button>Show</button>
</form>
<h2>Endpoints</h2>
{% if endpoints %}
<ul class="rows">
{% for tenant, endpoint, state in endpoints %}
<li><strong>{{ endpoint.url }}</strong>
{% if state and state.gone_at %}
<span class="tag">gone</span>
{% elif state and state.failures %}
<span class="tag">fails</span>
{% endif %}
<span>{{ tenant.name }} · {{ endpoint.topics | join(", ") }}</span>
{% if state and (state.failures or state.gone_at) %}
<span>failures: {{ state.failures }}{% if state.paused_until %} · paused until {{ at(state.paused_until) }}{% endif %}
{%- if state.gone_at %} · answered 410 at {{ at(state.gone_at) }}{% endif %}</span>
<form method="post" action="{{ base }}/dev/staff/webhooks/resume">
<input type="hidden" name="shop" value="{{ tenant.id }}">
<input type="hidden" name="url" value="{{ endpoint.url }}">
<button class="second" aria-label="End the pause of {{ endpoint.url }}">End the pause</button>
</form>
{% endif %}
</li>
{% endfor %}
</ul>
{% else %}
<p class="quiet">No shop has a webhook: <code>[[tenants.….webhooks]]</code> of a tenants file makes one.</p>
{% endif %}
<h2>Events</h2>
{% if events %}
<ul class="rows">
{% for each in events %}
<li><strong>{{ each.topic }}</strong>
<span class="tag">{{ "dead" if each.dead_at else "delivered" if each.delivered_at else "waiting" }}</span>
<span>{{ each.tenant_id }} · {{ each.endpoint }}</span>
<span>written {{ at(each.created_at) }} · attempts: {{ each.attempts }}
{%- if each.delivered_at %} · delivered {{ at(each.delivered_at) }}{% endif %}</span>
{% if each.last_error %}
<span>{{ each.last_error }}</span>
{% endif %}
<span><code>{{ each.id }}</code></span>
<form method="post" action="{{ base }}/dev/staff/webhooks/replay">
<input type="hidden" name="event" value="{{ each.id }}">
<button class="second" aria-label="Send again: {{ each.id }}">Send again</button>
</form></li>
{% endfor %}
</ul>
{% else %}
<p class="quiet">None.</p>
{% endif %}
""",
    "/webhooks",
)


class SendingPages:
    """The pages of outbox and webhooks, and what their forms do."""

    def __init__(self, live: LiveTools, base: str) -> None:
        self._live = live
        self._base = base

    def routes(self) -> list[Route]:
        """Return the routes of the pages and of their forms."""
        return [
            Route("/dev/staff/outbox", self._outbox),
            Route("/dev/staff/outbox/retry", self._retry, methods=["POST"]),
            Route("/dev/staff/webhooks", self._webhooks),
            Route("/dev/staff/webhooks/replay", self._replay, methods=["POST"]),
            Route("/dev/staff/webhooks/resume", self._resume, methods=["POST"]),
        ]

    async def _form(self, request: Request) -> dict[str, str]:
        return await read_own_form(request, self._live.now.public_url)

    async def _outbox(self, request: Request) -> Response:
        return await self._show_outbox(request)

    async def _show_outbox(self, request: Request, faults: Sequence[str] = ()) -> Response:
        tools = self._live.now
        state, waiting = await outbox_state(tools), await waiting_messages(tools)
        status = 422 if faults else 200
        return _OUTBOX(request, self._base, "Outbox", status=status, faults=faults, state=state, waiting=waiting)

    async def _retry(self, request: Request) -> Response:
        message_id = (await self._form(request)).get("message")
        if not await retry(self._live.now, message_id) and message_id is not None:
            return await self._show_outbox(request, [f"There is no dead or failing message {message_id}."])
        return go_to(f"{self._base}/dev/staff/outbox?done=retried")

    async def _webhooks(self, request: Request) -> Response:
        return await self._show_webhooks(request)

    async def _show_webhooks(self, request: Request, faults: Sequence[str] = ()) -> Response:
        tools, shop_id = self._live.now, asked(request, "shop")
        shop = find_shop(self._live, shop_id) if shop_id is not None else None
        shown = [tenant for tenant in tools.tenants if tenant.webhooks and shop in (None, tenant)]
        only_failed = asked(request, "failed") is not None
        states = {tenant.id: {each.url: each for each in await failing_endpoints(tools, tenant)} for tenant in shown}
        return _WEBHOOKS(
            request,
            self._base,
            "Webhooks",
            status=422 if faults else 200,
            faults=faults,
            shops=tools.tenants,
            shop=shop,
            only_failed=only_failed,
            endpoints=[(tenant, each, states[tenant.id].get(each.url)) for tenant in shown for each in tenant.webhooks],
            events=(await deliveries(tools, shop_id, only_failed=only_failed))[:MOST_LISTED],
        )

    async def _replay(self, request: Request) -> Response:
        event_id = (await self._form(request)).get("event", "")
        return await self._try(request, partial(replay, self._live.now, event_id), "replayed")

    async def _resume(self, request: Request) -> Response:
        form = await self._form(request)
        return await self._try(request, partial(resume, self._live.now, form.get("shop"), form.get("url")), "resumed")

    async def _try(self, request: Request, work: Callable[[], Awaitable[Any]], done: str) -> Response:
        try:
            await work()
        except ValueError as error:
            return await self._show_webhooks(request, [str(error)])
        return go_to(f"{self._base}/dev/staff/webhooks?done={done}")
