"""The frame of our own pages for development: one style, one head, and a policy that allows nothing else."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    from jinja2 import Environment, Template

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
ul li + li { border-top: 1px solid var(--line) }
ul a { display: block; padding: .75rem 1rem; text-decoration: none }
ul a:hover strong, ul a:focus strong { text-decoration: underline }
ul span { display: block; color: var(--quiet); font-size: .875rem; overflow-wrap: anywhere }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; margin: 0 0 1rem; font-size: .875rem }
dd { margin: 0; overflow-wrap: anywhere }
iframe { width: 100%; height: 46rem; background: #fff; border: 1px solid var(--line); border-radius: 8px }
pre { padding: 1rem; background: var(--card); border: 1px solid var(--line); border-radius: 8px; overflow-x: auto }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .875rem }
ol { margin: 0; padding: 0; list-style: none }
ol > li { padding: 1rem 1.25rem; background: var(--card); border: 1px solid var(--line); border-radius: 8px }
ol > li + li { margin-top: 1rem }
ol h2 { margin-top: 0 }
ol p { margin: 0 }
ol p + pre { margin-top: .75rem }
ol pre { margin-bottom: 0; background: var(--page) }
nav { display: flex; flex-wrap: wrap; gap: .75rem; margin: 0 0 1.5rem }
nav a { padding: .5rem 1rem; border: 1px solid; border-radius: 8px; background: var(--card); text-decoration: none }
nav a:first-child { background: #2f5bd0; color: #fff }
nav a:hover, nav a:focus-visible { text-decoration: underline }
nav.sections { gap: .5rem }
nav.sections a { padding: .375rem .75rem; border-color: var(--line); background: var(--card); color: inherit }
nav.sections a[aria-current] { background: #2f5bd0; border-color: #2f5bd0; color: #fff }
ul.rows > li { padding: .75rem 1rem }
ul.rows a { display: inline; padding: 0; text-decoration: underline }
ul.rows code { font-size: .8125rem; overflow-wrap: anywhere }
form { display: flex; flex-wrap: wrap; gap: .5rem .75rem; align-items: end; margin: 0 0 .75rem }
li form, .actions form { margin: .5rem 0 0 }
ul + form { margin-top: .75rem }
.actions { display: flex; flex-wrap: wrap; gap: .75rem }
label { display: grid; gap: .25rem; flex: 0 1 auto; font-size: .875rem; color: var(--quiet) }
label.wide { flex: 1 1 14rem }
input, select, button { box-sizing: border-box; min-height: 2.5rem; padding: .375rem .75rem; font: inherit }
input, select { width: 100%; background: var(--card); color: var(--text) }
input, select { border: 1px solid #7a8492; border-radius: 8px }
button { border: 1px solid #2f5bd0; border-radius: 8px; background: #2f5bd0; color: #fff; cursor: pointer }
button.second { background: var(--card); color: var(--text); border-color: #7a8492 }
button:hover { text-decoration: underline }
:focus-visible { outline: 3px solid #6d93ff; outline-offset: 2px }
.notice { padding: .75rem 1rem; border: 1px solid; border-left-width: 6px; border-radius: 8px; background: var(--card) }
.notice.done { border-color: #2c8a4b }
.notice.fault { border-color: #c9372c }
.notice p { margin: 0; overflow-wrap: anywhere }
summary { padding: .5rem 0; cursor: pointer }
.tag { display: inline-block; padding: 0 .5rem; border: 1px solid; border-radius: 1rem; font-size: .8125rem }
"""
_HEAD = (
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
    f"<title>{{{{ title }}}}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
)
_FOOT = "</main>\n</body>\n</html>\n"

_STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
# Of a page with forms: only we get what they hold, and the browser says from which page they come.
_FORM_HEADERS = {
    "Content-Security-Policy": _POLICY.replace("form-action 'none'", "form-action 'self'"),
    "Referrer-Policy": "same-origin",
}


class ImmutableFiles(StaticFiles):
    """Files whose name changes with their content; a worker among them has the policy of its page."""

    def __init__(self, directory: Path, policy: str) -> None:
        super().__init__(directory=directory)
        self._policy = policy

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """Return a file that may be kept for a year."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        response.headers["Content-Security-Policy"] = self._policy
        return response


class PageTemplate:
    """The template of a whole page with this `main`; it needs a `title`."""

    def __init__(self, body: str) -> None:
        self._body = body

    def render(self, values: Mapping[str, object]) -> str:
        """Return the page, filled in."""
        return self._compiled.render(values)

    @cached_property
    def _compiled(self) -> Template:
        """Compiled with the first look: nobody has one in production, and all of them take a tenth of the start."""
        return _pages().from_string(_HEAD + self._body + _FOOT)


@cache
def _pages() -> Environment:
    from jinja2 import Environment, StrictUndefined

    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)


def show_page(template: PageTemplate, **values: object) -> Response:
    """Return the page, filled in."""
    return HTMLResponse(template.render(values), headers={"Content-Security-Policy": _POLICY})


def show_form_page(template: PageTemplate, status: int = 200, **values: object) -> Response:
    """Return a page with forms, filled in."""
    return HTMLResponse(template.render(values), status, _FORM_HEADERS)
