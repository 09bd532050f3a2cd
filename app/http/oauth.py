"""The OAuth endpoints over HTTP: forms in, JSON out, errors by RFC 6749 section 5.2."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from app.domain.errors import AccessCode, AccessError
from app.domain.oauth import BasicCredentials, GrantType, OAuthError, OAuthErrorCode, OAuthRequest
from app.domain.principal import TokenKind
from app.domain.requests import RequestFacts
from app.domain.scopes import Scope as PermissionScope
from app.domain.tools import LiveTools
from app.http.bodies import BadHttpError, read_body, single
from app.http.exchange import exchange_of
from app.http.forms import BadFormError, read_basic, read_form
from app.http.media_types import FORM, is_in_utf8
from app.services.integrations import oauth as service

MAX_BODY_BYTES = 32_768
METADATA_SECONDS = 300
_NOT_STORED = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="oauth", charset="UTF-8"'}

Answer = Callable[[OAuthRequest], Awaitable[Mapping[str, Any]]]


def oauth_routes(live: LiveTools) -> list[BaseRoute]:
    """Return the routes of the three endpoints and of their metadata."""

    async def token(request: OAuthRequest) -> Mapping[str, Any]:
        issued = await service.issue_token(live.now, request)
        return {
            "access_token": issued.access_token,
            "token_type": "Bearer",
            "expires_in": issued.expires_in,
            "scope": " ".join(sorted(issued.scope)),
        }

    async def introspect(request: OAuthRequest) -> Mapping[str, Any]:
        return await service.introspect(live.now, request)

    async def revoke(request: OAuthRequest) -> Mapping[str, Any]:
        await service.revoke(live.now, request)
        return {}

    async def metadata(_request: Request) -> Response:
        return JSONResponse(
            _metadata(live.now.public_url), headers={"Cache-Control": f"public, max-age={METADATA_SECONDS}"}
        )

    return [
        Route("/oauth/token", FormEndpoint(token)),
        Route("/oauth/introspect", FormEndpoint(introspect)),
        Route("/oauth/revoke", FormEndpoint(revoke)),
        Route("/.well-known/oauth-authorization-server", metadata),
    ]


class FormEndpoint:
    """Answers the POST of a form with JSON that must not be stored."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        response = await self._respond(Request(scope, receive))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        exchange = exchange_of(request.scope)
        try:
            form = await _read(request)
            answer = await self._answer(form)
        except BadHttpError as refusal:
            exchange.codes = [OAuthErrorCode.INVALID_REQUEST.value]
            return _error_response(refusal.status, OAuthErrorCode.INVALID_REQUEST, refusal.message, refusal.headers)
        except OAuthError as error:
            exchange.codes = [error.code.value]
            if error.code is OAuthErrorCode.INVALID_CLIENT:
                return _error_response(401, error.code, error.description, _CHALLENGE)
            return _error_response(400, error.code, error.description, {})
        except AccessError as error:
            exchange.codes = [error.code.value]
            return _hold_off(error)
        exchange.caller = TokenKind.INTEGRATION.value
        return JSONResponse(dict(answer), headers=_NOT_STORED)


async def _read(request: Request) -> OAuthRequest:
    if request.method != "POST":
        raise BadHttpError(405, "This endpoint takes POST.", {"Allow": "POST"})
    if request.scope["query_string"]:
        raise BadHttpError(400, "Send everything in the body: addresses end up in logs.")
    if not is_in_utf8(single(request, "content-type") or "", FORM):
        raise BadHttpError(415, f"Send the request as {FORM} in UTF-8.")
    if (single(request, "content-encoding") or "identity").strip().lower() != "identity":
        raise BadHttpError(415, "Send the request without Content-Encoding.")
    exchange = exchange_of(request.scope)
    try:
        parameters = read_form(await read_body(request, MAX_BODY_BYTES))
        basic = _read_basic(single(request, "authorization"))
    except BadFormError as error:
        raise BadHttpError(400, str(error)) from None
    return OAuthRequest(RequestFacts(exchange.request_id, exchange.ip), parameters, basic)


def _read_basic(authorization: str | None) -> BasicCredentials | None:
    if authorization is None:
        return None
    try:
        return read_basic(authorization)
    except BadFormError as error:
        raise OAuthError(OAuthErrorCode.INVALID_CLIENT, str(error)) from None


def _error_response(status: int, code: OAuthErrorCode, description: str, headers: Mapping[str, str]) -> Response:
    return JSONResponse(
        {"error": code.value, "error_description": description}, status, headers={**_NOT_STORED, **headers}
    )


def _hold_off(error: AccessError) -> Response:
    """Tell the client to try again later. RFC 6749 has no better code for that at the token endpoint."""
    status = 429 if error.code is AccessCode.RATE_LIMITED else 503
    wait = {"Retry-After": str(error.retry_after)} if error.retry_after is not None else {}
    body = {"error": "temporarily_unavailable", "error_description": error.message}
    return JSONResponse(body, status, headers={**_NOT_STORED, **wait})


def _metadata(public_url: str) -> dict[str, Any]:
    """Return the metadata of RFC 8414; there is no authorization endpoint, so no response type either."""
    client_methods = {
        "endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
        "endpoint_auth_signing_alg_values_supported": ["ES256", "RS256", "PS256", "EdDSA"],
    }
    endpoints = ("token", "introspection", "revocation")
    return {
        "issuer": public_url,
        "token_endpoint": f"{public_url}/oauth/token",
        "introspection_endpoint": f"{public_url}/oauth/introspect",
        "revocation_endpoint": f"{public_url}/oauth/revoke",
        "jwks_uri": f"{public_url}/.well-known/jwks.json",
        "response_types_supported": [],
        "grant_types_supported": list(GrantType),
        "scopes_supported": list(PermissionScope),
        **{f"{endpoint}_{name}": values for endpoint in endpoints for name, values in client_methods.items()},
    }
