"""`/dev/mail/texts` shows the text of each mail with example values, a shop's own too. Not in production."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.domain.ports import MailText, Previews
from app.domain.tools import LiveTools
from app.http.mailbox import show_frame
from app.http.pages import PageTemplate, show_page

_LIST_PAGE = PageTemplate("""<p><a href="{{ base }}/dev/mail">All mail</a></p>
<h1>The texts of all mails</h1>
{% for tenant, texts in shops %}
<h2>{{ tenant.name }}</h2>
<ul>
{% for name, language in texts %}
<li><a href="{{ base }}/dev/mail/texts/{{ tenant.id }}/{{ name }}/{{ language }}"><strong>{{ name }}</strong>
<span>{{ language }}</span></a></li>
{% endfor %}
</ul>
{% endfor %}
""")
_TEXT_PAGE = PageTemplate("""<p><a href="{{ base }}/dev/mail/texts">The texts of all mails</a></p>
<h1>{{ mail.subject }}</h1>
<iframe title="The mail" src="{{ path }}/html" sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>
<h2>Plain text</h2>
<pre>{{ mail.text }}</pre>
""")


def preview_routes(previews: Previews, live: LiveTools, base: str) -> list[Route]:
    """Return the routes of the list, of one text, and of its HTML part by itself; links begin with `base`."""

    async def list_texts(_request: Request) -> Response:
        shops = [(tenant, previews.list(tenant)) for tenant in live.now.tenants]
        return show_page(_LIST_PAGE, title="The texts of all mails", shops=shops, base=base)

    async def show_text(request: Request) -> Response:
        mail = _find(previews, live, request)
        return show_page(_TEXT_PAGE, title=mail.subject, mail=mail, path=base + request.url.path, base=base)

    async def show_html(request: Request) -> Response:
        return show_frame(_find(previews, live, request).html)

    return [
        Route("/dev/mail/texts", list_texts),
        Route("/dev/mail/texts/{tenant}/{name}/{language}", show_text),
        Route("/dev/mail/texts/{tenant}/{name}/{language}/html", show_html),
    ]


def _find(previews: Previews, live: LiveTools, request: Request) -> MailText:
    tenant = live.now.tenants.find_tenant(request.path_params["tenant"])
    name, language = request.path_params["name"], request.path_params["language"]
    mail = previews.find(tenant, name, language) if tenant is not None else None
    if mail is None:
        raise HTTPException(404, "There is no such text.")
    return mail
