"""The page at `/dev` in development: what runs here, and how to begin. It replaces a storefront that is not there."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.http.first_steps import FirstSteps
from app.http.pages import PageTemplate, show_page

_PAGE = PageTemplate("""<h1>Customer Gateway</h1>
<p class="quiet">It runs, and serves {{ steps.shop_names }}.</p>
{% if needs_node %}
<p>The example storefront is made with Node.js, which was not there: install Node.js 20 or newer, and run scripts/serve
again. Until then a mailed link shows this page; its token is good in GraphiQL.</p>
{% endif %}
<nav>
{% if has_storefront %}
<a href="{{ base }}/">Storefront</a>
{% endif %}
<a href="{{ base }}/graphql">GraphiQL</a>
{% if has_mailbox %}
<a href="{{ base }}/dev/mail">Mailbox</a>
{% endif %}
<a href="{{ base }}/dev/staff">Staff</a>
</nav>
<ol>
<li>
<h2>Begin a session</h2>
{% if steps.operation_command %}
<p>Paste this into a terminal. <a href="{{ base }}/graphql">GraphiQL</a> begins with the same operation, and its tabs go
on from there to the logout.</p>
<pre id="operation">{{ steps.operation_command }}</pre>
{% else %}
<p>{{ steps.hint }}</p>
{% endif %}
</li>
{% if has_mailbox %}
<li>
<h2>Read the mail</h2>
<p>Nothing leaves this machine: what the shops mail is in the <a href="{{ base }}/dev/mail">mailbox</a>.</p>
</li>
{% endif %}
{% if steps.token_command %}
<li>
<h2>Be a staff system</h2>
<p>This gets a token for an hour. The secret of <code>{{ steps.integration.id }}</code> stands in
tests/clients/README.md, and production does not take it.</p>
<pre id="token">{{ steps.token_command }}</pre>
</li>
{% endif %}
<li>
<h2>Read on</h2>
<p>README.md has every operation of a customer's journey to be pasted. How to connect single-page apps, mobile apps,
staff systems and other services stands in tests/clients/README.md, and what every key of a tenants file means in
app/adapters/tenants/README.md.</p>
</li>
</ol>
""")


def welcome_page(
    steps: Callable[[], FirstSteps], *, has_storefront: bool, has_mailbox: bool, base: str = ""
) -> Callable[[], Response]:
    """Return what shows the page; `has_storefront` if the storefront was bundled."""

    def show() -> Response:
        found = steps()
        return show_page(
            _PAGE,
            title="Customer Gateway",
            base=base,
            steps=found,
            has_mailbox=has_mailbox,
            has_storefront=has_storefront and found.client is not None,
            needs_node=not has_storefront,
        )

    return show


def welcome_routes(show: Callable[[], Response]) -> list[Route]:
    """Return the route of the page, which is at `/` as well where no storefront is."""

    async def welcome(_request: Request) -> Response:
        return show()

    return [Route("/dev", welcome), Route("/", welcome)]
