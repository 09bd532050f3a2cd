"""The development mailbox `/dev/mail`: shows sent mail, to finish every flow in a browser. Not in production."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from app.domain.ports import KeptMail, Mailbox
from app.http.pages import PageTemplate, show_page

MOST_LISTED = 200
# Programs are told of the latest only: each page asks anew.
MOST_TOLD = 20

_LIST = """<h1>Sent mail</h1>
{% if mails %}
<ul>
{% for mail in mails %}
<li><a href="{{ base }}/dev/mail/{{ mail.name }}"><strong>{{ mail.subject }}</strong>
<span>{{ mail.recipient }} · {{ mail.sent }}</span></a></li>
{% endfor %}
</ul>
{% else %}
<p class="quiet">Nothing has been sent yet. Sign up, then load this page again.</p>
{% endif %}
<p><a href="{{ base }}/dev/mail/texts">The texts of all mails</a></p>
"""
_MAIL = """<p><a href="{{ base }}/dev/mail">All mail</a></p>
<h1>{{ mail.subject }}</h1>
<dl>
<dt>To</dt><dd>{{ mail.recipient }}</dd>
<dt>From</dt><dd>{{ mail.sender }}</dd>
<dt>Sent</dt><dd>{{ mail.sent }}</dd>
{% if token %}
<dt>Token</dt><dd><code>{{ token }}</code><br>
The link leads to the shop's site. Without one, use this token in <a href="{{ base }}/graphql">GraphiQL</a>.</dd>
{% endif %}
</dl>
<iframe title="The mail" src="{{ base }}/dev/mail/{{ mail.name }}/html"
 sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>
<h2>Plain text</h2>
<pre>
{%- for piece, is_link in pieces -%}
{%- if is_link %}<a href="{{ piece }}">{{ piece }}</a>{% else %}{{ piece }}{% endif -%}
{%- endfor -%}
</pre>
"""
_LIST_PAGE = PageTemplate(_LIST)
_MAIL_PAGE = PageTemplate(_MAIL)
# A mail has inline styles, because mail programs need them. It may open links in a new tab, and nothing else.
FRAME_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
_LINK = re.compile(r"(https?://\S+)")
_TOKEN = re.compile(r"[?&]token=([\w-]+)")


def mailbox_routes(mailbox: Mailbox, base: str = "") -> list[Route]:
    """Return the routes of the list, of one mail, and of its HTML part by itself; `base` is the path of PUBLIC_URL."""

    async def list_mails(_request: Request) -> Response:
        return show_page(_LIST_PAGE, title="Sent mail", base=base, mails=mailbox.list(MOST_LISTED))

    async def show_mail(request: Request) -> Response:
        mail = _find(mailbox, request)
        token = _TOKEN.search(mail.text)
        values = {"mail": mail, "pieces": _pieces(mail), "token": token[1] if token else None}
        return show_page(_MAIL_PAGE, title=mail.subject, base=base, **values)

    async def show_html(request: Request) -> Response:
        mail = _find(mailbox, request)
        return show_frame(mail.html)

    async def tell_latest(_request: Request) -> Response:
        links = [link for mail in mailbox.list(MOST_TOLD) for link in _links(mail)]
        return JSONResponse({"links": links})

    return [
        Route("/dev/mail", list_mails),
        Route("/dev/mail/latest.json", tell_latest),
        Route("/dev/mail/{name}", show_mail),
        Route("/dev/mail/{name}/html", show_html),
    ]


def show_frame(html: str) -> Response:
    """Return the HTML part of a mail by itself, for a frame."""
    # A link would open in the frame, where nothing may be loaded.
    html = html.replace("<head>", '<head>\n<base target="_blank">', 1)
    return HTMLResponse(html, headers={"Content-Security-Policy": FRAME_POLICY})


def _find(mailbox: Mailbox, request: Request) -> KeptMail:
    mail = mailbox.find(request.path_params["name"])
    if mail is None:
        raise HTTPException(404, "There is no such mail.")
    return mail


def _links(mail: KeptMail) -> Iterator[dict[str, Any]]:
    """Yield the links of a mail that carry a token or a code, by the path of the page that takes it."""
    for link in _LINK.findall(mail.text):
        page = urlsplit(link)
        carried = parse_qs(page.query)
        if carried.keys() & {"token", "code"}:
            values = {name: carried.get(name, [None])[0] for name in ("token", "code")}
            yield {"page": page.path, **values, "recipient": mail.recipient, "subject": mail.subject, "mail": mail.name}


def _pieces(mail: KeptMail) -> list[tuple[str, bool]]:
    """Return the plain text in pieces, each with whether it is a link."""
    return [(piece, index % 2 == 1) for index, piece in enumerate(_LINK.split(mail.text))]
