"""Where providers of social login post their answers to; each browser is sent on to the app's own redirect URI.

The form comes from the provider's pages, without a cookie of ours and without CORS: the browser itself goes there.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from app.domain.errors import AccessCode, AccessError, DomainError
from app.domain.requests import RequestFacts
from app.domain.social import FORM_POST_PATH
from app.domain.tools import LiveTools
from app.http.bodies import BadHttpError, read_body, single
from app.http.exchange import exchange_of
from app.http.forms import BadFormError, read_form
from app.http.media_types import FORM, is_in_utf8
from app.http.pages import PageTemplate, show_page
from app.services.social.posted_answers import hand_on

# An id token may come with the code, and is of no use to us.
MAX_BODY_BYTES = 65_536

_PAGE = PageTemplate("<h1>{{ title }}</h1>\n<p>{{ message }}</p>\n")
_TITLE = "You are not logged in"
_BACK = "Please go back to the shop, and log in there once more."


def form_post_routes(live: LiveTools) -> list[BaseRoute]:
    """Return the route that all providers post to."""
    return [Route(FORM_POST_PATH, FormPostEndpoint(live))]


class FormPostEndpoint:
    """Answers a provider's form with the way on (303), or with a page where nobody knows where that leads."""

    def __init__(self, live: LiveTools) -> None:
        self._live = live

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        response = await self._respond(Request(scope, receive))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        exchange = exchange_of(request.scope)
        try:
            form = await _read(request)
            handed_on = await hand_on(self._live.now, RequestFacts(exchange.request_id, exchange.ip), form)
        except BadHttpError as refusal:
            return _show(refusal.status, f"{refusal.message} {_BACK}", **refusal.headers)
        except DomainError as error:
            exchange.codes = [each.code for each in error.errors]
            return _show(400, f"This login is over, or was begun somewhere else. {_BACK}")
        except AccessError as error:
            exchange.codes = [error.code.value]
            return _hold_off(error)
        exchange.tenant = handed_on.tenant_id
        exchange.codes = [handed_on.error] if handed_on.error is not None else []
        # Not Starlette's redirect, which would write the address anew: it has to be the registered one.
        return Response(status_code=303, headers={"Location": handed_on.address})


async def _read(request: Request) -> dict[str, str]:
    if request.method != "POST":
        raise BadHttpError(405, "Providers post their answers here.", {"Allow": "POST"})
    if not is_in_utf8(single(request, "content-type") or "", FORM):
        raise BadHttpError(415, f"The answer is not {FORM} in UTF-8.")
    try:
        return read_form(await read_body(request, MAX_BODY_BYTES))
    except BadFormError as error:
        raise BadHttpError(400, str(error)) from None


def _hold_off(error: AccessError) -> Response:
    status = 429 if error.code is AccessCode.RATE_LIMITED else 503
    wait = {"Retry-After": str(error.retry_after)} if error.retry_after is not None else {}
    return _show(status, f"{error.message} {_BACK}", **wait)


def _show(status: int, message: str, **headers: str) -> Response:
    response = show_page(_PAGE, title=_TITLE, message=message)
    response.status_code = status
    response.headers.update(headers)
    return response
