"""The development mailbox `/dev/mail`: what was sent, to finish every flow in a browser; not there in production."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256

from jinja2 import Environment, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from app.domain.ports import KeptMail, Mailbox

MOST_LISTED = 200

_STYLE = """
:root { color-scheme: light dark; --line: #d5dae1; --quiet: #5b6673; --page: #f3f4f6; --card: #fff; --text: #1f2733 }
@media (prefers-color-scheme: dark) {
  :root { --line: #333b45; --quiet: #a3adb8; --page: #14171c; --card: #1e232a; --text: #e6e9ed }
}
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif }
main { max-width: 50rem; margin: 0 auto; padding: 1.5rem 1rem 3rem }
h1 { margin: 0 0 1rem; font-size: 1.375rem; overflow-wrap: anywhere }
h2 { margin: 1.5rem 0 .5rem; font-size: 1.125rem }
a { color: inherit }
p.quiet, dt { color: var(--quiet) }
ul { margin: 0; padding: 0; list-style: none }
ul { background: var(--card); border: 1px solid var(--line); border-radius: 8px }
li + li { border-top: 1px solid var(--line) }
li a { display: block; padding: .75rem 1rem; text-decoration: none }
li a:hover strong, li a:focus strong { text-decoration: underline }
li span { display: block; color: var(--quiet); font-size: .875rem; overflow-wrap: anywhere }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; margin: 0 0 1rem; font-size: .875rem }
dd { margin: 0; overflow-wrap: anywhere }
iframe { width: 100%; height: 46rem; background: #fff; border: 1px solid var(--line); border-radius: 8px }
pre { padding: 1rem; background: var(--card); border: 1px solid var(--line); border-radius: 8px; overflow-x: auto }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .875rem }
"""
_HEAD = (
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
    f"<title>{{{{ title }}}}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
)
_LIST = """<h1>Sent mail</h1>
{% if mails %}
<ul>
{% for mail in mails %}
<li><a href="/dev/mail/{{ mail.name }}"><strong>{{ mail.subject }}</strong>
<span>{{ mail.recipient }} · {{ mail.sent }}</span></a></li>
{% endfor %}
</ul>
{% else %}
<p class="quiet">Nothing has been sent yet. Sign up, then load this page again.</p>
{% endif %}
</main>
</body>
</html>
"""
_MAIL = """<p><a href="/dev/mail">All mail</a></p>
<h1>{{ mail.subject }}</h1>
<dl>
<dt>To</dt><dd>{{ mail.recipient }}</dd>
<dt>From</dt><dd>{{ mail.sender }}</dd>
<dt>Sent</dt><dd>{{ mail.sent }}</dd>
{% if token %}
<dt>Token</dt><dd><code>{{ token }}</code><br>
The link leads to the shop's site. Without one, use this token in <a href="/graphql">GraphiQL</a>.</dd>
{% endif %}
</dl>
<iframe title="The mail" src="/dev/mail/{{ mail.name }}/html"
 sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>
<h2>Plain text</h2>
<pre>
{%- for piece, is_link in pieces -%}
{%- if is_link %}<a href="{{ piece }}">{{ piece }}</a>{% else %}{{ piece }}{% endif -%}
{%- endfor -%}
</pre>
</main>
</body>
</html>
"""
_PAGES = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
_LIST_PAGE = _PAGES.from_string(_HEAD + _LIST)
_MAIL_PAGE = _PAGES.from_string(_HEAD + _MAIL)

_STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
_PAGE_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
# A mail has its styles in its elements, as mail programs want it; it may open links in a tab of their own, and no more.
_FRAME_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
_LINK = re.compile(r"(https?://\S+)")
_TOKEN = re.compile(r"[?&]token=([\w-]+)")


def mailbox_routes(mailbox: Mailbox) -> list[Route]:
    """Return the routes of the list, of one mail, and of its HTML part by itself."""

    async def list_mails(_request: Request) -> Response:
        return _page(_LIST_PAGE.render(title="Sent mail", mails=mailbox.list(MOST_LISTED)))

    async def show_mail(request: Request) -> Response:
        mail = mailbox.find(request.path_params["name"])
        if mail is None:
            return _not_found()
        token = _TOKEN.search(mail.text)
        page = _MAIL_PAGE.render(title=mail.subject, mail=mail, pieces=_pieces(mail), token=token[1] if token else None)
        return _page(page)

    async def show_html(request: Request) -> Response:
        mail = mailbox.find(request.path_params["name"])
        if mail is None:
            return _not_found()
        # A link in a frame would open in the frame, where nothing may be loaded.
        html = mail.html.replace("<head>", '<head>\n<base target="_blank">', 1)
        return HTMLResponse(html, headers={"Content-Security-Policy": _FRAME_POLICY})

    return [
        Route("/dev/mail", list_mails),
        Route("/dev/mail/{name}", show_mail),
        Route("/dev/mail/{name}/html", show_html),
    ]


def _page(html: str) -> Response:
    return HTMLResponse(html, headers={"Content-Security-Policy": _PAGE_POLICY})


def _not_found() -> Response:
    return PlainTextResponse("There is no such mail.", status_code=404)


def _pieces(mail: KeptMail) -> list[tuple[str, bool]]:
    """Return the plain text in pieces, each with whether it is a link."""
    return [(piece, index % 2 == 1) for index, piece in enumerate(_LINK.split(mail.text))]
